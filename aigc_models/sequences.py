"""Symbols: what they are numbered by, and items of any length end to end, so that a book costs no padding beside a line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Ints = NDArray[np.int64]
PAD = -1  # no symbol: what stands behind an item's END in a batch


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of content are numbered from 0 to `size` - 1; those that frame it follow."""

    size: int

    @property
    def end(self) -> int:
        """Closes an item, and is what a model is fed before its first symbol."""
        return self.size

    @property
    def blank(self) -> int:
        """Stands for `PAD` where a model needs a symbol."""
        return self.size + 1

    @property
    def mask(self) -> int:
        """Stands for a symbol that is hidden."""
        return self.size + 2

    @property
    def outputs(self) -> int:
        """How many symbols a model predicts: those of content, and END."""
        return self.size + 1

    @property
    def inputs(self) -> int:
        """How many symbols a model may be fed."""
        return self.size + 3


@dataclass(frozen=True)
class Sequences:
    """Item i is `symbols[starts[i] : starts[i + 1]]`, its END the last: integers (symbol,) and int64 (item + 1,)."""

    symbols: NDArray[Any]
    starts: Ints

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: Any) -> Sequences:
        """The items at `index`: an array of numbers or of truth values, or a slice."""
        chosen = np.arange(len(self))[index]
        lengths = self.lengths[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(starts[-1]) + np.repeat(self.starts[chosen] - starts[:-1], lengths)
        return Sequences(np.asarray(self.symbols)[places], starts)

    @cached_property
    def lengths(self) -> Ints:
        """Symbols of each item, END included: int64 (item,)."""
        return np.diff(self.starts)

    def rows(self) -> Iterable[NDArray[Any]]:
        """The symbols of one item after the other."""
        return (self.symbols[first:last] for first, last in zip(self.starts[:-1], self.starts[1:], strict=True))

    @classmethod
    def of(cls, items: Iterable[Any], kind: Any = np.int16) -> Sequences:
        """Of the symbols of each item, as type `kind`."""
        arrays = [np.asarray(item, dtype=kind) for item in items]
        starts = np.concatenate([[0], np.cumsum([len(array) for array in arrays], dtype=np.int64)]).astype(np.int64)
        return cls(np.concatenate([np.zeros(0, dtype=kind), *arrays]), starts)

    @classmethod
    def of_padded(cls, values: NDArray[Any]) -> Sequences:
        """Of (item, time), `PAD` behind each item."""
        there = np.asarray(values) != PAD
        starts = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        return cls(np.asarray(values)[there], starts)

    @classmethod
    def joined(cls, parts: Iterable[Sequences]) -> Sequences:
        """The items of all of them, in order."""
        chosen = list(parts)
        lengths = np.concatenate([np.zeros(0, dtype=np.int64), *(part.lengths for part in chosen)])
        symbols = np.concatenate([part.symbols for part in chosen])
        return cls(symbols, np.concatenate([[0], np.cumsum(lengths)]))

    def padded(self, most: int | None = None) -> NDArray[np.int64]:
        """Int64 (item, time), as long as the longest, or at most `most`; `PAD` behind each item."""
        lengths = np.minimum(self.lengths, most) if most else self.lengths
        values = np.full((len(self), max(1, int(lengths.max(initial=0)))), PAD, dtype=np.int64)
        item = np.repeat(np.arange(len(self)), lengths)
        time = np.arange(len(item)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        values[item, time] = np.asarray(self.symbols)[self.starts[:-1][item] + time]
        return values

    def tensor(self) -> Tensor:
        """The same as a tensor."""
        import torch

        return torch.from_numpy(self.padded())


Encoded = np.ndarray | Sequences  # items as a modality encodes them, item first
