"""Which items stand near each other in histories: counts of pairs, the less the further apart, asked for the last items.

A first-order Markov chain whose steps may skip items (as in Shani, Heckerman and Brafman 2005, section 4.3), with pairs in
the other direction at a part of their weight: what is rated before another item may as well come after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from aigc_models.capabilities import Shape
from aigc_models.recommending.histories import UNKNOWN, Ints, pairs, recent
from aigc_models.recommending.plain import Floats, PlainRecommender, State, numbers
from aigc_models.sequences import Sequences

MODALITIES = frozenset({"events"})


class Config(BaseModel):
    """What is tried on the validation split."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    decays: tuple[float, ...] = Field((0.5, 0.7, 0.8, 0.9), description="weight of a pair, and of a last item, a step further")
    backwards: tuple[float, ...] = Field((0.0, 0.3, 1.0), description="weight of a pair in the other direction")
    prior: tuple[float, ...] = Field((1.0, 10.0), description="weight of pairs that an item needs to say half of what it can")
    window: int = Field(20, ge=1, description="steps that a pair may be apart, and last items that are asked")


SIZES = {
    "debug": Config(decays=(0.8,), backwards=(0.3,), prior=(10.0,), window=5),
    "small": Config(),
    "base": Config(window=30),
    "large": Config(window=50),
}


class Transitions(PlainRecommender):
    """`weights` float32 (pair,), `items` int32 (pair,) and `starts` int64 (symbol + 1,): a sparse table, a row an item."""

    def trials(self, histories: Sequences) -> Iterator[State]:
        for decay, back in product(self.config.decays, self.config.backwards):
            table = self.counted(histories, decay, back)
            total = np.asarray(table.sum(1)).ravel()
            for prior in self.config.prior:
                rows = sparse.diags((1 / (total + prior)).astype(np.float32)) @ table
                yield {
                    "weights": torch.from_numpy(rows.data.astype(np.float32)),
                    "items": torch.from_numpy(rows.indices.astype(np.int32)),
                    "starts": torch.from_numpy(rows.indptr.astype(np.int64)),
                    **numbers(decay=decay),
                }

    def counted(self, histories: Sequences, decay: float, back: float) -> sparse.csr_matrix:
        """Float32 (symbol, symbol): how often, weighted, the second stands near the first."""
        size = self.vocabulary.size
        table = sparse.csr_matrix((size, size), dtype=np.float32)
        for distance in range(1, self.config.window + 1):
            first, second, _ = pairs(histories, distance)
            before, after = histories.symbols[first], histories.symbols[second]
            there = (before > UNKNOWN) & (after > UNKNOWN)
            weight = np.full(there.sum(), decay ** (distance - 1), dtype=np.float32)
            table += sparse.csr_matrix((weight, (before[there], after[there])), shape=(size, size))
        both = table if not back else (table + back * table.T).tocsr()
        both.sort_indices()
        return both

    def scores(self, values: Ints) -> Floats:
        size = self.vocabulary.size
        parts = tuple(self.state[name].numpy() for name in ("weights", "items", "starts"))
        last = recent(values, size, self.number("decay"), self.config.window)
        return (last @ sparse.csr_matrix(parts, shape=(size, size))).toarray()


def build(config: Config, shape: Shape) -> Transitions:
    return Transitions(config, shape)
