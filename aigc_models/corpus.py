"""Encoded items of one split, memory-mapped, and the batches drawn from them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from aigc_models.find import find
from aigc_models.sequences import Encoded, Sequences

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """`values` as the modality gives them (image: float (item, channel, height, width) in [-1, 1];
    symbols: int64 (item, time), padded with -1), `conditions` int64 (item,); `targets` as in `Corpus`."""

    values: Tensor
    conditions: Tensor
    targets: Tensor | None = None

    def __len__(self) -> int:
        return len(self.conditions)

    def to(self, device: torch.device | str) -> Batch:
        targets = None if self.targets is None else self.targets.to(device)
        return Batch(self.values.to(device), self.conditions.to(device), targets)

    def part(self, rows: slice) -> Batch:
        """Some of the items."""
        return Batch(self.values[rows], self.conditions[rows], None if self.targets is None else self.targets[rows])


@dataclass(frozen=True)
class Corpus:
    """`values` in the modality's compact storage type (item first; symbols as `Sequences`), `conditions` int64 (item,).

    `targets` float32 (item, target), of tasks whose answers are no single label: NaN where an item has none.
    """

    modality: str
    values: Encoded
    conditions: np.ndarray
    targets: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.conditions)

    @property
    def sequences(self) -> Sequences:
        """`values` of a modality that is made of symbols."""
        assert isinstance(self.values, Sequences)
        return self.values

    def batch(self, index: np.ndarray) -> Batch:
        """The items at `index`, as tensors on the CPU."""
        import torch

        values = find("aigc_models.modalities", self.modality).tensor(self.values[index])
        targets = None if self.targets is None else torch.from_numpy(np.asarray(self.targets[index], dtype=np.float32))
        return Batch(values, torch.from_numpy(np.asarray(self.conditions[index], dtype=np.int64)), targets)

    def batches(self, size: int) -> Iterator[Batch]:
        """All items in order, `size` at a time; the last batch may be smaller."""
        for start in range(0, len(self), size):
            yield self.batch(np.arange(start, min(start + size, len(self))))

    def take(self, index: np.ndarray) -> Corpus:
        targets = None if self.targets is None else self.targets[index]
        return Corpus(self.modality, self.values[index], self.conditions[index], targets)

    def answered(self) -> Corpus:
        """The items that have targets."""
        assert self.targets is not None
        return self.take(np.flatnonzero(~np.isnan(self.targets).any(1)))

    def sample(self, most: int, seed: int) -> Corpus:
        """At most this many items, drawn at random by the seed and in their order: the first ones may all be of one label."""
        return self.take(np.sort(np.random.default_rng(seed).permutation(len(self))[:most]))

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(self.values, Sequences):
            save_array(folder / "starts.npy", self.values.starts)
            save_array(folder / "values.npy", self.values.symbols)
        else:
            save_array(folder / "values.npy", self.values)
        save_array(folder / "conditions.npy", self.conditions)
        if self.targets is not None:
            save_array(folder / "targets.npy", self.targets)

    @classmethod
    def load(cls, folder: Path, modality: str) -> Corpus:
        """Memory-mapped, so that a corpus larger than memory can be trained on."""
        values, conditions = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("values", "conditions"))
        stored, starts = np.asarray(values), folder / "starts.npy"  # views without the cost of a memmap
        encoded = Sequences(stored, np.load(starts)) if starts.is_file() else stored
        targets = folder / "targets.npy"
        return cls(modality, encoded, np.asarray(conditions), np.load(targets) if targets.is_file() else None)


@dataclass(frozen=True)
class Shuffled:
    """Batches in random order; the batch of a step depends on the seed and the step alone,
    so that a resumed training sees what it would have seen."""

    corpus: Corpus
    size: int
    seed: int

    def __call__(self, step: int) -> Batch:
        """The batch of `step` (from 0)."""
        return self.corpus.batch(self.index(step))

    def index(self, step: int) -> np.ndarray:
        """Which items those are, int64, ascending; an epoch is a permutation, and batches run across its end."""
        epoch, offset = divmod(step * self.size, len(self.corpus))
        if offset + self.size <= len(self.corpus):
            return np.sort(_order(self.seed, epoch, len(self.corpus))[offset : offset + self.size])
        positions = np.arange(step * self.size, (step + 1) * self.size)
        epochs, offsets = np.divmod(positions, len(self.corpus))
        index = np.empty(self.size, dtype=np.int64)
        for epoch in np.unique(epochs):
            order = _order(self.seed, int(epoch), len(self.corpus))
            index[epochs == epoch] = order[offsets[epochs == epoch]]
        return np.sort(index)


@dataclass(frozen=True)
class LikeLengths:
    """Random batches of items of symbols that are about as long, so that little of a batch is padding.

    So many batches' worth of items, drawn at random, are cut by length and come in random order, never more than an epoch;
    the batch of a step depends on the seed and the step alone.
    """

    corpus: Corpus
    size: int
    seed: int

    MOST: ClassVar[int] = 32  # batches that are cut together

    def __call__(self, step: int) -> Batch:
        """The batch of `step` (from 0)."""
        together = max(1, min(self.MOST, len(self.corpus) // self.size))
        block, place = divmod(step, together)
        drawn = Shuffled(self.corpus, self.size * together, self.seed).index(block)
        by_length = drawn[np.argsort(self.corpus.sequences.lengths[drawn], kind="stable")]
        turn = int(np.random.default_rng([self.seed, block, 1]).permutation(together)[place])
        return self.corpus.batch(np.sort(by_length[turn * self.size : (turn + 1) * self.size]))


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, items: int) -> np.ndarray:
    """The permutation of an epoch, kept since each of its steps asks for it."""
    return np.random.default_rng([seed, epoch]).permutation(items)


def save_array(path: Path, array: np.ndarray) -> None:
    """Write `path` (.npy) beside its place and rename it: whoever has the file that was there mapped keeps that one."""
    part = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with part.open("wb") as file:
        np.save(file, array)
    part.replace(path)


def joined(parts: Sequence[Encoded]) -> Encoded:
    """Encoded items one after the other."""
    sequences = [part for part in parts if isinstance(part, Sequences)]
    return Sequences.joined(sequences) if sequences else np.concatenate(list(parts))
