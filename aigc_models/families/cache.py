"""A model of nothing but the item so far: interpolated modified Kneser-Ney over counts that grow while it is read.

Alone it knows nothing, beside other models it knows who is speaking and what was named before (Kuhn and De Mori 1990). A
context of k symbols counts a symbol where that was new to the context of k + 1 symbols (the lower counts of Kneser-Ney 1995,
PPM's update exclusion).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.language import reading
from aigc_models.language.vocabulary import symbolic, vocabulary_of
from aigc_models.sequences import PAD

MODALITIES = symbolic()
DISCOUNTS = (0.0, 0.8, 1.2, 1.5)  # of a count of 0, 1, 2, 3 and more


class Config(BaseModel):
    """Nothing is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    longest: int = Field(5, ge=1, le=7, description="symbols of the longest context")


SIZES = {"debug": Config(longest=3), "small": Config(), "base": Config(), "large": Config(longest=7)}


class History:
    """The symbols of an item and, for each length of a context, what followed it how often."""

    def __init__(self, longest: int, radix: int, symbols: list[int] | None = None) -> None:
        self.longest, self.radix = longest, radix
        self.symbols: list[int] = []
        self.tables: list[dict[int, dict[int, int]]] = [{} for _ in range(longest + 1)]
        for symbol in symbols or []:
            self.append(symbol)

    def contexts(self) -> list[int]:
        """The last 0, 1, ... symbols as numbers, as many as there are."""
        keys, key, scale = [0], 0, 1
        for symbol in self.symbols[: -self.longest - 1 : -1]:
            key += (symbol + 1) * scale
            scale *= self.radix
            keys.append(key)
        return keys

    def append(self, symbol: int) -> None:
        """Longer contexts first: those that are shorter than one which has met the symbol do not count it."""
        if self.symbols:  # the END before an item follows nothing
            for length, key in reversed(list(enumerate(self.contexts()))):
                followers = self.tables[length].setdefault(key, {})
                before = followers.get(symbol, 0)
                followers[symbol] = before + 1
                if before:
                    break
        self.symbols.append(symbol)

    def distribution(self, outputs: int) -> NDArray[np.float64]:
        """Of the next symbol: float64 (symbol,)."""
        said = np.full(outputs, 1 / outputs)
        for length, key in enumerate(self.contexts()):
            followers = self.tables[length].get(key)
            if followers is None:
                break
            symbols = np.fromiter(followers.keys(), dtype=np.int64, count=len(followers))
            counts = np.fromiter(followers.values(), dtype=np.float64, count=len(followers))
            taken = _DISCOUNTS[np.minimum(counts, 3).astype(np.int64)]
            total = counts.sum()
            said *= taken.sum() / total
            said[symbols] += (counts - taken) / total
        return said


_DISCOUNTS = np.array(DISCOUNTS)


class Place(NamedTuple):
    """The first `length` symbols of a history, which may have grown since."""

    history: History
    length: int


class Cache:
    """A state is an array of `Place`, one an item: a history only grows, and whoever stands further back takes a new one."""

    def __init__(self, config: Config, shape: Shape) -> None:
        self.config, self.vocabulary = config, vocabulary_of(shape)
        self.radix = self.vocabulary.inputs + 1

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> None:
        """Nothing is learnt."""

    def begin(self, conditions: Int[Tensor, " item"]) -> NDArray[Any]:
        return _array([Place(self._history(), 0) for _ in range(len(conditions))])

    def _history(self, symbols: list[int] | None = None) -> History:
        return History(self.config.longest, self.radix, symbols)

    def extend(
        self, state: NDArray[Any], tokens: Int[Tensor, "item time"]
    ) -> tuple[Float[Tensor, "item time symbol"], NDArray[Any]]:
        """Log-probabilities float32 (item, time, symbol)."""
        said = np.empty((*tokens.shape, self.vocabulary.outputs), dtype=np.float32)
        places = []
        for row, place, symbols in zip(said, state, tokens.tolist(), strict=True):
            history = place.history
            if place.length < len(history.symbols):
                history = self._history(history.symbols[: place.length])
            for at, symbol in enumerate(symbols):
                if symbol != PAD:
                    history.append(symbol)
                row[at] = history.distribution(self.vocabulary.outputs)
            places.append(Place(history, len(history.symbols)))
        return torch.from_numpy(np.log(said, out=said)).to(tokens.device), _array(places)

    def advance(self, state: NDArray[Any], tokens: Int[Tensor, " item"]) -> tuple[Float[Tensor, "item symbol"], NDArray[Any]]:
        """Log-probabilities float32 (item, symbol)."""
        said, state = self.extend(state, tokens[:, None])
        return said[:, 0], state

    def states(self, count: int) -> CacheStates:
        """For drawing many items side by side."""
        return CacheStates(self, count)

    def log_likelihood(self, batch: Batch) -> Float[Tensor, "item time"]:
        """float32 (item, time), nats, zero at padding."""
        return reading.log_likelihood(self, batch)

    def state_dict(self) -> dict[str, Tensor]:
        return {"discounts": torch.tensor(DISCOUNTS)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """There is nothing to take."""


class CacheStates:
    """See `capabilities.States`; a slot that is free keeps no history."""

    def __init__(self, model: Cache, count: int) -> None:
        self._model, self._places = model, list[Place | None]([None] * count)
        self._flat = torch.full((model.vocabulary.outputs,), -math.log(model.vocabulary.outputs))

    def put(self, slot: int, state: NDArray[Any]) -> None:
        self._places[slot] = state[0]

    def take(self, slot: int) -> NDArray[Any]:
        place = self._places[slot]
        assert place is not None
        return _array([place])

    def free(self, slot: int) -> None:
        self._places[slot] = None

    def step(self, tokens: Int[Tensor, " slot"]) -> Float[Tensor, "slot symbol"]:
        rows = []
        for slot, place in enumerate(self._places):
            if place is None:
                rows.append(self._flat)
                continue
            said, state = self._model.advance(_array([place]), tokens[slot : slot + 1])
            self._places[slot] = state[0]
            rows.append(said[0])
        return torch.stack(rows)


def _array(places: list[Place]) -> NDArray[Any]:
    """As an array of objects, one an item."""
    array = np.empty(len(places), dtype=object)
    array[:] = [None] * len(places)
    for at, place in enumerate(places):
        array[at] = place
    return array


def build(config: Config, shape: Shape) -> Cache:
    return Cache(config, shape)
