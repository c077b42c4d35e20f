"""What came next where other histories had lately held the same items: nearest neighbours among all places of all histories.

A place is told by the items before it, the less the older they are, as in sequence-aware session kNN (Ludewig and Jannach
2018), and counts by a power of its cosine with the history that is asked: few places that are much alike say more than many
that are a little. It sees several items at a time, which counts of pairs cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.recommending.histories import UNKNOWN, Ints, pairs, recent
from aigc_models.recommending.plain import Floats, PlainRecommender, State, numbers
from aigc_models.sequences import Sequences

MODALITIES = frozenset({"events"})
AT_ONCE = 32  # histories that are asked at a time: each is held against all places


class Config(BaseModel):
    """What is tried on the validation split."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    decays: tuple[float, ...] = Field((0.8, 0.9), description="weight of an item before a place, a step further back")
    onwards: tuple[float, ...] = Field((0.5, 0.7), description="weight of an item behind a place, a step further on")
    powers: tuple[float, ...] = Field((2.0, 3.0, 4.0), description="of the cosine")
    window: int = Field(40, ge=1, description="items before a place that it is told by")
    ahead: int = Field(8, ge=1, description="items behind a place that it speaks for")
    most: int = Field(500_000, ge=1, description="events whose places are kept, of the last histories")


SIZES = {
    "debug": Config(decays=(0.8,), onwards=(0.5,), powers=(3.0,), window=10),
    "small": Config(),
    "base": Config(decays=(0.8, 0.9, 0.95)),
    "large": Config(decays=(0.8, 0.9, 0.95), most=2_000_000),
}


class Neighbours(PlainRecommender):
    """`symbols` int32 (event,) and `starts` int64 (history + 1,): the training histories themselves, without names of users."""

    tables: tuple[sparse.csr_matrix, sparse.csr_matrix] | None = None  # of the state, made when it is first asked

    def trials(self, histories: Sequences) -> Iterator[State]:
        first = int(np.searchsorted(histories.starts, histories.starts[-1] - self.config.most))
        kept = histories[first:]
        learnt = {"symbols": torch.from_numpy(kept.symbols.astype(np.int32)), "starts": torch.from_numpy(kept.starts)}
        for decay, onward in product(self.config.decays, self.config.onwards):
            self.tables = None
            for power in self.config.powers:
                yield {**learnt, **numbers(decay=decay, onward=onward, power=power)}
        self.tables = None

    def scores(self, values: Ints) -> Floats:
        if self.tables is None:
            self.tables = self.places()
        behind, ahead = self.tables
        asked = _unit(recent(values, self.vocabulary.size, self.number("decay"), self.config.window))
        parts = [np.zeros((0, self.vocabulary.size), dtype=np.float32)]
        for first in range(0, len(values), AT_ONCE):
            like = asked[first : first + AT_ONCE] @ behind
            like.data **= np.float32(self.number("power"))
            parts.append((like @ ahead).toarray())
        return np.concatenate(parts)

    def places(self) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """What lies before each place, (symbol, place) of unit length a place, and behind it, (place, symbol)."""
        histories = Sequences(self.state["symbols"].numpy().astype(np.int64), self.state["starts"].numpy())
        before, after = [], []
        for distance in range(1, max(self.config.window, self.config.ahead) + 1):
            first, second, _ = pairs(histories, distance)
            if distance <= self.config.window:  # the place is that of the second
                before.append((second, histories.symbols[first], self.number("decay") ** (distance - 1)))
            if distance <= self.config.ahead:  # the place is the one behind the first
                after.append((first + 1, histories.symbols[second], self.number("onward") ** (distance - 1)))
        shape = len(histories.symbols), self.vocabulary.size
        return _unit(_table(before, shape)).T.tocsr(), _table(after, shape)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        super().load_state_dict(state)
        self.tables = None


def _table(parts: list[tuple[Ints, Ints, float]], shape: tuple[int, int]) -> sparse.csr_matrix:
    """Weights at rows and columns; the unknown item has none."""
    rows, columns = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    weights = np.concatenate([np.full(len(row), weight, dtype=np.float32) for row, _, weight in parts])
    there = columns > UNKNOWN
    return sparse.csr_matrix((weights[there], (rows[there], columns[there])), shape=shape)


def _unit(table: sparse.csr_matrix) -> sparse.csr_matrix:
    """Rows of length 1."""
    length = np.sqrt(np.asarray(table.multiply(table).sum(1)).ravel())
    return (sparse.diags((1 / np.maximum(length, 1e-12)).astype(np.float32)) @ table).tocsr()


def build(config: Config, shape: Shape) -> Neighbours:
    return Neighbours(config, shape)
