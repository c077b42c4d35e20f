"""What a language model trains on: all items end to end, read by several rows side by side that never stop.

Row r begins at its share of the items and reads on from step to step, so that a model can carry its state from one row
to the next; at the end of the items it goes on with the next epoch's order. Every row of every step is full.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int
from numpy.typing import NDArray
from torch import Tensor

from aigc_models.corpus import Corpus
from aigc_models.sequences import Sequences, Vocabulary

Ints = NDArray[np.int64]


class Packed(NamedTuple):
    """One step's rows. A row that begins inside an item begins with the symbol before, not with END."""

    inputs: Int[Tensor, "row time"]  # the symbol before each target; END before an item's first
    targets: Int[Tensor, "row time"]
    conditions: Int[Tensor, "row time"]
    item: Int[Tensor, "row time"]  # which item a symbol belongs to; another number in each epoch
    row: Int[Tensor, " row"]  # which of the rows of a step each is: it goes on from the row of this number before

    def __len__(self) -> int:
        return len(self.inputs)

    def to(self, device: torch.device | str) -> Packed:
        return Packed(*(part.to(device) for part in self))

    def part(self, rows: slice) -> Packed:
        """Some of the rows."""
        return Packed(*(part[rows] for part in self))

    def apart(self, causal: bool) -> Bool[Tensor, "row 1 time time"]:
        """Attention inside items only."""
        same = self.item[:, :, None] == self.item[:, None, :]
        return (same.tril() if causal else same)[:, None]


class _Epoch(NamedTuple):
    """The items of one epoch in their order: `ends` is where each ends in the whole, `hidden` whose condition is."""

    order: Ints
    ends: Ints
    hidden: NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """The rows of each step; they depend on the seed and the step alone, so that a resumed training sees the same."""

    corpus: Corpus
    vocabulary: Vocabulary
    rows: int
    window: int  # symbols of a row
    seed: int
    none: int  # the condition of what has none
    unlabelled: float = 0.0  # share of the items whose condition is hidden
    _epochs: dict[int, _Epoch] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def sequences(self) -> Sequences:
        return self.corpus.sequences

    def __call__(self, step: int) -> Packed:
        """The rows of `step` (from 0)."""
        whole = len(self.sequences.symbols)
        begin = np.arange(self.rows)[:, None] * whole // self.rows + step * self.window
        epochs, places = np.divmod(begin + np.arange(self.window), whole)
        parts = np.empty((4, *places.shape), dtype=np.int64)
        for epoch in np.unique(epochs):
            inside = epochs == epoch
            parts[:, inside] = self._read(int(epoch), places[inside])
        inputs, targets, conditions, item = torch.from_numpy(parts)
        return Packed(inputs, targets, conditions, item, torch.arange(self.rows))

    def _read(self, number: int, places: Ints) -> NDArray[np.int64]:
        """(4, place): what `Packed` holds at the `places` of an epoch."""
        sequences, epoch = self.sequences, self._epoch(number)
        turn = np.searchsorted(epoch.ends, places, side="right")
        item = epoch.order[turn]
        at = places - (epoch.ends[turn] - sequences.lengths[item])
        index = sequences.starts[item] + at
        before = np.where(at > 0, sequences.symbols[np.maximum(index - 1, 0)], self.vocabulary.end)
        conditions = np.where(epoch.hidden[turn], self.none, np.asarray(self.corpus.conditions)[item])
        return np.stack([before, sequences.symbols[index], conditions, item + number * len(sequences)])

    def _epoch(self, number: int) -> _Epoch:
        """Kept as long as rows read it: each step asks for one, or for two of them."""
        if number not in self._epochs:
            random = np.random.default_rng([self.seed, number])
            order = random.permutation(len(self.sequences))
            hidden = random.random(len(order)) < self.unlabelled
            for old in [kept for kept in self._epochs if kept < number - 1]:
                del self._epochs[old]
            self._epochs[number] = _Epoch(order, np.cumsum(self.sequences.lengths[order]), hidden)
        return self._epochs[number]
