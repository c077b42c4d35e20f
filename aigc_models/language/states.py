"""The states of a fixed number of items side by side, changed in place: what `slots` draws with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from aigc_models.capabilities import Prefills, Slotted, States, Streams
from aigc_models.language.decoding import rows


def states_of(model: Streams, count: int) -> States:
    """The model's own kind, where it has one that is faster; else `Trees`."""
    return model.states(count) if isinstance(model, Slotted) else Trees(model, count)


def prefilled(model: Streams, state: Any, tokens: Int[Tensor, "item time"]) -> Any:
    """The state behind `tokens`."""
    return model.prefill(state, tokens) if isinstance(model, Prefills) else model.extend(state, tokens)[1]


def replaced(state: Any, slot: int, part: Any) -> Any:
    """`state` with `part`, that of one item, in place of its item `slot`; neither is changed."""
    if isinstance(state, Tensor | np.ndarray):
        new = state.clone() if isinstance(state, Tensor) else state.copy()
        new[slot] = part[0]
        return new
    if isinstance(state, tuple):
        parts = [replaced(one, slot, other) for one, other in zip(state, part, strict=True)]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state


class Trees:
    """Of any model whose states have one form wherever in its item each of them is."""

    def __init__(self, model: Streams, count: int) -> None:
        self._model = model
        self._state = model.begin(torch.zeros(count, dtype=torch.int64))

    def put(self, slot: int, state: Any) -> None:
        self._state = replaced(self._state, slot, state)

    def take(self, slot: int) -> Any:
        return rows(self._state, torch.tensor([slot]))

    def free(self, slot: int) -> None:
        """Nothing: what a filler makes of a state is written over by `put`."""

    def step(self, tokens: Int[Tensor, " slot"]) -> Float[Tensor, "slot symbol"]:
        log_probabilities, self._state = self._model.advance(self._state, tokens)
        return log_probabilities


class Several:
    """Of an ensemble: the states of each member, and what is made of all that they say."""

    def __init__(self, ensemble: Any, members: Mapping[str, Streams], count: int) -> None:
        self._ensemble = ensemble
        self._states = {name: states_of(member, count) for name, member in members.items()}

    def put(self, slot: int, state: tuple[Any, ...]) -> None:
        for each, part in zip(self._states.values(), state, strict=True):
            each.put(slot, part)

    def take(self, slot: int) -> tuple[Any, ...]:
        return tuple(each.take(slot) for each in self._states.values())

    def free(self, slot: int) -> None:
        for each in self._states.values():
            each.free(slot)

    def step(self, tokens: Int[Tensor, " slot"]) -> Float[Tensor, "slot symbol"]:
        said: Tensor = self._ensemble.combined({name: each.step(tokens) for name, each in self._states.items()})
        return said
