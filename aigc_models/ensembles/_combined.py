"""Several models of symbols as one, whose distribution is a function of theirs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, cast

from jaxtyping import Float, Int
from torch import Tensor

from aigc_models.capabilities import Streams
from aigc_models.corpus import Batch
from aigc_models.language import reading
from aigc_models.language.states import Several, prefilled
from aigc_models.sequences import Vocabulary

LANES = 16  # numbers that a processor works on at a time


class Combined(ABC):
    """`members` by name, and `weights` that sum to 1: how much each has to say. Scores and streams like a member."""

    def __init__(self, members: Mapping[str, object], weights: Mapping[str, float]) -> None:
        total = sum(weights[name] for name in members)
        self.members = dict(members)
        self.weights = {name: weights[name] / total for name in members}
        self._asked = {name: cast(Streams, member) for name, member in members.items() if self.weights[name] > 0}

    @abstractmethod
    def together(self, parts: Sequence[Tensor]) -> Tensor:
        """Log-probabilities float (..., symbol) from those of the members `asked`, in their order."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The members with a weight above zero."""
        return tuple(self._asked)

    @property
    def vocabulary(self) -> Vocabulary:
        """That of its members."""
        return next(iter(self._asked.values())).vocabulary

    def combined(self, parts: Mapping[str, Tensor]) -> Float[Tensor, "item time symbol"]:
        """What `extend` gives, from what the members `asked` give, for who has that already."""
        return self.together([parts[name] for name in self._asked])

    def log_likelihood(self, batch: Batch) -> Float[Tensor, "item time"]:
        """float32 (item, time) in nats, zero at padding."""
        return reading.log_likelihood(self, batch)

    def begin(self, conditions: Int[Tensor, " item"]) -> tuple[Any, ...]:
        return tuple(member.begin(conditions) for member in self._asked.values())

    def extend(
        self, state: tuple[Any, ...], tokens: Int[Tensor, "item time"]
    ) -> tuple[Float[Tensor, "item time symbol"], tuple[Any, ...]]:
        steps = [member.extend(each, tokens) for member, each in zip(self._asked.values(), state, strict=True)]
        return self.together([log for log, _ in steps]), tuple(new for _, new in steps)

    def prefill(self, state: tuple[Any, ...], tokens: Int[Tensor, "item time"]) -> tuple[Any, ...]:
        return tuple(prefilled(member, each, tokens) for member, each in zip(self._asked.values(), state, strict=True))

    def advance(
        self, state: tuple[Any, ...], tokens: Int[Tensor, " item"]
    ) -> tuple[Float[Tensor, "item symbol"], tuple[Any, ...]]:
        steps = [member.advance(each, tokens) for member, each in zip(self._asked.values(), state, strict=True)]
        return self.together([log for log, _ in steps]), tuple(new for _, new in steps)

    def states(self, count: int) -> Several:
        """For drawing many items side by side."""
        return Several(self, self._asked, count)
