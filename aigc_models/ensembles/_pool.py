"""Several models as one, whose answer about an item is a function of theirs and of a weight each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from aigc_models.corpus import Batch
from aigc_models.training.devices import place_of


class Pool:
    """`members` by name, and `weights` that sum to 1: how much each has to say."""

    def __init__(self, members: Mapping[str, object], weights: Mapping[str, float], settings: Any) -> None:
        total = sum(weights[name] for name in members)
        self.members, self.settings = dict(members), settings
        self.weights = {name: weights[name] / total for name in members}

    @property
    def asked(self) -> tuple[str, ...]:
        """The members with a weight above zero."""
        return tuple(name for name, weight in self.weights.items() if weight > 0)

    def parts(self, ability: str, batch: Batch) -> dict[str, Tensor]:
        """What the method `ability` of each member `asked` gives where it lies, on the batch's device."""
        members = {name: self.members[name] for name in self.asked}
        answers = {name: getattr(one, ability)(batch.to(place_of(one))) for name, one in members.items()}
        return {name: answer.to(batch.conditions.device) for name, answer in answers.items()}
