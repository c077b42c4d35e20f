"""A model of nothing but the item so far: interpolated modified Kneser-Ney over counts that grow while it is read.

Alone it knows nothing, beside other models it knows who is speaking and what was named before (Kuhn and De Mori 1990). A
context of k symbols counts a symbol where that was new to the context of k + 1 symbols (the lower counts of Kneser-Ney 1995,
PPM's update exclusion).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
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


class Followers:
    """What followed a context: how often each symbol, how often any, and how much of that is discounted."""

    __slots__ = ("counts", "taken", "total")

    def __init__(self) -> None:
        self.counts, self.total, self.taken = dict[int, int](), 0, 0.0

    def add(self, symbol: int) -> bool:
        """Whether it was there before."""
        before = self.counts.get(symbol, 0)
        self.counts[symbol] = before + 1
        self.total += 1
        self.taken += DISCOUNTS[min(before + 1, 3)] - DISCOUNTS[min(before, 3)]
        return before > 0


class History:
    """The symbols of an item and, for each length of a context, what followed it how often.

    Plain dictionaries: a context has few followers, and for so few a numpy call takes longer than the loop.
    """

    def __init__(self, longest: int, radix: int, symbols: Iterable[int] = ()) -> None:
        self.longest, self.radix = longest, radix
        self.symbols: list[int] = []
        self._contexts = [0]  # the last 0, 1, ... symbols as numbers, as many as there are
        self.tables: list[dict[int, Followers]] = [{} for _ in range(longest + 1)]
        for symbol in symbols:
            self.append(symbol)

    def append(self, symbol: int) -> None:
        """Longer contexts first: those that are shorter than one which has met the symbol do not count it."""
        if self.symbols:  # the END before an item follows nothing
            for length in range(len(self._contexts) - 1, -1, -1):
                table, key = self.tables[length], self._contexts[length]
                followers = table.get(key)
                if followers is None:
                    followers = table[key] = Followers()
                if followers.add(symbol):
                    break
        self.symbols.append(symbol)
        self._contexts = [0, *(symbol + 1 + self.radix * key for key in self._contexts[: self.longest])]

    def probabilities(self) -> tuple[dict[int, float], float]:
        """Of the next symbol, from those that were met; and what is left for all there are, in equal parts."""
        said, left = dict[int, float](), 1.0
        for length in range(len(self._contexts) - 1, -1, -1):
            followers = self.tables[length].get(self._contexts[length])
            if followers is None:
                continue
            share = left / followers.total
            for symbol, count in followers.counts.items():
                said[symbol] = said.get(symbol, 0.0) + share * (count - DISCOUNTS[count if count < 3 else 3])
            left = share * followers.taken
        return said, left

    def fill(self, row: NDArray[np.float32]) -> None:
        """The distribution of the next symbol into `row` (symbol,)."""
        said, left = self.probabilities()
        row.fill(left / len(row))
        row[list(said)] += np.fromiter(said.values(), dtype=np.float32, count=len(said))


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

    def _history(self, symbols: Iterable[int] = ()) -> History:
        return History(self.config.longest, self.radix, symbols)

    def extend(
        self, state: NDArray[Any], tokens: Int[Tensor, "item time"]
    ) -> tuple[Float[Tensor, "item time symbol"], NDArray[Any]]:
        """Log-probabilities float32 (item, time, symbol)."""
        said = np.empty((*tokens.shape, self.vocabulary.outputs), dtype=np.float32)
        state = self._read(state, tokens, said)
        return torch.from_numpy(np.log(said, out=said)).to(tokens.device), state

    def prefill(self, state: NDArray[Any], tokens: Int[Tensor, "item time"]) -> NDArray[Any]:
        return self._read(state, tokens, None)

    def _read(self, state: NDArray[Any], tokens: Int[Tensor, "item time"], said: NDArray[np.float32] | None) -> NDArray[Any]:
        """The state behind `tokens`; what follows each of them into `said` (item, time, symbol)."""
        places = []
        for item, (place, symbols) in enumerate(zip(state, tokens.tolist(), strict=True)):
            history = place.history
            if place.length < len(history.symbols):
                history = self._history(history.symbols[: place.length])
            for at, symbol in enumerate(symbols):
                if symbol != PAD:
                    history.append(symbol)
                if said is not None:
                    history.fill(said[item, at])
            places.append(Place(history, len(history.symbols)))
        return _array(places)

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
        self._flat = torch.full((count, model.vocabulary.outputs), -math.log(model.vocabulary.outputs))

    def put(self, slot: int, state: NDArray[Any]) -> None:
        self._places[slot] = state[0]

    def take(self, slot: int) -> NDArray[Any]:
        place = self._places[slot]
        assert place is not None
        return _array([place])

    def free(self, slot: int) -> None:
        self._places[slot] = None

    def step(self, tokens: Int[Tensor, " slot"]) -> Float[Tensor, "slot symbol"]:
        log_probabilities, busy = self._flat.clone(), [slot for slot, place in enumerate(self._places) if place]
        if busy:
            index = torch.tensor(busy)
            said, state = self._model.advance(_array([self._places[slot] for slot in busy]), tokens[index])
            log_probabilities[index] = said
            for slot, place in zip(busy, state, strict=True):
                self._places[slot] = place
        return log_probabilities


def _array(places: Sequence[Place | None]) -> NDArray[Any]:
    """As an array of objects, one an item."""
    array = np.empty(len(places), dtype=object)
    for at, place in enumerate(places):
        array[at] = place
    return array


def build(config: Config, shape: Shape) -> Cache:
    return Cache(config, shape)
