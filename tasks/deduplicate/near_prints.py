"""Near-duplicates among many items whose fingerprints say all: no contents are read.

A modality with `positions(near)` and `alike_prints(one, other)` gives each item a place. Near-duplicates lie at most 1
apart on the first axis, along which all are swept, and at most 1 apart (Euclidean) on the others together. Pairs that do
are compared by their fingerprints, which wait in a file: none is missed. In memory are the places, two or three times
(70 bytes a picture, 100 a sound), a block of the sweep, and the pairs found; the time grows with the pairs in a window.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.deduplicate.near_join import NEIGHBOURS, equal_pairs

RADIUS = 1.01  # places are rounded
CELL = 0.25
SWEPT = 256  # items at a time, beside `COMPARED` others
COMPARED = 10_000  # items or pairs whose fingerprints are in memory
COLLECTED = 5_000_000  # pairs of 16 bytes, before those beyond `NEIGHBOURS` are dropped


class Prints:
    """Fingerprints of one length, in a file."""

    def __init__(self, path: Path) -> None:
        self.path, self.width = path, 0
        path.touch()

    def add(self, prints: Sequence[bytes]) -> None:
        self.width = len(prints[0])
        with self.path.open("ab") as file:
            file.write(b"".join(prints))

    def __len__(self) -> int:
        return self.path.stat().st_size // self.width if self.width else 0

    def __getitem__(self, wanted: slice | np.ndarray) -> np.ndarray:
        """uint8 (item, byte); read, not mapped: a map of the file would count as memory page by page."""
        with self.path.open("rb", buffering=0) as file:
            if isinstance(wanted, slice):
                start, end, _ = wanted.indices(len(self))
                return np.fromfile(file, np.uint8, (end - start) * self.width, offset=start * self.width).reshape(
                    -1, self.width
                )
            rows = np.empty((len(wanted), self.width), dtype=np.uint8)
            for row, number in zip(rows, wanted.tolist(), strict=True):
                os.preadv(file.fileno(), [row.data], number * self.width)
        return rows

    def parts(self) -> Iterator[np.ndarray]:
        """All of them in order, uint8 (item, byte), `COMPARED` at a time."""
        yield from (self[start : start + COMPARED] for start in range(0, len(self), COMPARED))


def near_pairs(prints: Prints, modality: Any) -> np.ndarray:
    """The near-duplicates, int64 (pair, 2), the earlier first; of each item at most the `NEIGHBOURS` latest before it.

    They do not depend on what comes later. Of items in one place (a cell of `CELL` on each axis), those after the first
    `NEIGHBOURS` are compared with those just before them there alone, so that many plain ones cost no more than others.
    """
    if len(prints) < 2:
        return np.empty((0, 2), dtype=np.int64)
    places = np.concatenate([modality.positions(part).astype(np.float32) for part in prints.parts()])
    cells = _cells(places)
    crowded = _rank(cells) >= NEIGHBOURS
    sparse, same = np.flatnonzero(~crowded), _pairs(equal_pairs(cells))
    collected = [_compared(prints, same[crowded[same[:, 1]]], modality)]
    for pairs in _candidates(places[sparse]):
        collected.append(_compared(prints, sparse[pairs], modality))
        if sum(map(len, collected)) > COLLECTED:
            collected = [_latest(np.concatenate(collected))]
    return _latest(np.concatenate(collected))


def _cells(places: np.ndarray) -> np.ndarray:
    """uint64 (item,): a number for the cell of each."""
    weights = np.random.default_rng(0).integers(1, 2**63, places.shape[1], dtype=np.uint64) | np.uint64(1)
    parts = (places[start : start + COMPARED] for start in range(0, len(places), COMPARED))
    return np.concatenate([np.floor(part / CELL).astype(np.int64).astype(np.uint64) @ weights for part in parts])


def _rank(values: np.ndarray) -> np.ndarray:
    """How many equal ones stand before each, int64 (item,).

    >>> _rank(np.array([7, 8, 7, 7])).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(values, kind="stable")
    ordered, places = values[order], np.arange(len(values))
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(values)]
    rank = np.empty(len(values), dtype=np.int64)
    rank[order] = places - np.maximum.accumulate(np.where(new, places, 0))
    return rank


def _pairs(packed: np.ndarray) -> np.ndarray:
    return np.stack([packed >> np.uint64(32), packed & np.uint64(0xFFFFFFFF)], axis=1).astype(np.int64)


def _candidates(places: np.ndarray) -> Iterator[np.ndarray]:
    """Pairs that lie near one another, int64 (pair, 2), the earlier first: a sweep along the first axis."""
    order = np.argsort(places[:, 0], kind="stable")
    first, rest = places[order, 0], places[order, 1:]
    squares, ones = (rest**2).sum(axis=1)[:, None], np.ones((len(rest), 1), dtype=np.float32)
    here, there = np.concatenate([-2 * rest, squares, ones], axis=1), np.concatenate([rest, ones, squares], axis=1).T
    for start in range(0, len(order), SWEPT):
        end = min(start + SWEPT, len(order))
        reach = int(np.searchsorted(first, first[end - 1] + RADIUS, "right"))
        for left in range(start, reach, COMPARED):
            apart = here[start:end] @ there[:, left : min(left + COMPARED, reach)]  # squared distances
            row, column = np.divmod(np.flatnonzero(apart <= RADIUS), apart.shape[1])
            row, column = row + start, column + left
            row, column = row[row < column], column[row < column]
            yield np.sort(np.stack([order[row], order[column]], axis=1), axis=1)


def _latest(pairs: np.ndarray) -> np.ndarray:
    """Of each later item's pairs those with the `NEIGHBOURS` latest before it, in order."""
    ordered = pairs[np.lexsort((pairs[:, 0], pairs[:, 1]))]
    return np.asarray(ordered[_rank(ordered[::-1, 1])[::-1] < NEIGHBOURS])


def _compared(prints: Prints, pairs: np.ndarray, modality: Any) -> np.ndarray:
    parts = [pairs[start : start + COMPARED] for start in range(0, len(pairs), COMPARED)]
    kept = [part[modality.alike_prints(prints[part[:, 0]], prints[part[:, 1]])] for part in parts]
    return np.concatenate([np.empty((0, 2), dtype=np.int64), *kept])
