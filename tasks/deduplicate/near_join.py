"""Near-duplicates among many items, in memory that holds numbers and no contents.

A modality with `bands(near)` and `alike(one, other)` gives each item a few numbers (bands of a MinHash: Broder 1997;
Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4). Items that share some are candidates, joined by
sorting a column of bands at a time, and each candidate pair is compared by its contents, which wait in a file.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

NEIGHBOURS = 50  # of the items before it that share a band, an item is compared with so many; the rest hang on these
SHARED = 2  # bands: with 24 of five rows, a pair at 0.8 shares fewer once in 1,100, one at 0.3 more once in 640
SORTED = 250_000  # numbers of a column that are sorted at a time
RANGE = 100_000  # earlier items whose pairs are counted at a time
REMEMBERED = 512  # contents that are kept unpacked while pairs are compared


class Columns:
    """Bands on disk, a file for each, so that one column at a time is in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[Any] = []

    def add(self, rows: np.ndarray) -> None:
        """uint32 (item, band)."""
        if not self.files:
            self.files = [(self.folder / f"band{at}").open("wb") for at in range(rows.shape[1])]
        for file, column in zip(self.files, rows.T, strict=True):
            file.write(np.ascontiguousarray(column, dtype="<u4").tobytes())

    def __iter__(self) -> Iterator[np.ndarray]:
        """Each column, uint32 (item,)."""
        for file in self.files:
            file.flush()
            yield np.fromfile(file.name, dtype="<u4")

    def close(self) -> None:
        for file in self.files:
            file.close()


class Buckets:
    """Pairs on disk, those of a range of earlier items in a file, so that one range at a time is in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[int, Any] = {}

    def add(self, pairs: np.ndarray) -> None:
        """uint64 (pair,), as `equal_pairs` gives them."""
        ordered = np.sort(pairs)
        ranges, starts = np.unique((ordered >> np.uint64(32)) // np.uint64(RANGE), return_index=True)
        for at, (start, end) in zip(ranges.tolist(), pairwise([*starts, len(ordered)]), strict=True):
            if at not in self.files:
                self.files[at] = (self.folder / f"pairs{at}").open("wb")
            self.files[at].write(ordered[start:end].tobytes())

    def counted(self, least: int) -> Iterator[np.ndarray]:
        """The pairs that were added `least` times, in order."""
        for _, file in sorted(self.files.items()):
            file.flush()
            pairs, counts = np.unique(np.fromfile(file.name, dtype=np.uint64), return_counts=True)
            yield pairs[counts >= least]

    def close(self) -> None:
        for file in self.files.values():
            file.close()


def candidates(columns: Iterable[np.ndarray], folder: Path, least: int = SHARED) -> np.ndarray:
    """Pairs of items that share a number in `least` columns, int64 (pair, 2), the earlier first, in order.

    Pairs that share less wait in files in `folder`, as there are far more of them. An item's pairs with those before it
    do not depend on what comes after it.
    """
    with closing(Buckets(folder)) as buckets:
        for column in columns:
            buckets.add(equal_pairs(column))
        pairs = np.concatenate([np.empty(0, dtype=np.uint64), *buckets.counted(least)])
    return np.stack([(pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64)], axis=1)


def equal_pairs(column: np.ndarray) -> np.ndarray:
    """Items with the same number, as earlier << 32 | later; of those before it an item has at most the `NEIGHBOURS` latest."""
    parts = 1 + len(column) // SORTED
    pairs = [_equal(np.flatnonzero(column % parts == part), column) for part in range(parts)]
    return np.concatenate([np.empty(0, dtype=np.uint64), *pairs])


def _equal(places: np.ndarray, column: np.ndarray) -> np.ndarray:
    values = column[places]
    order = np.argsort(values, kind="stable")
    ordered, items, pairs = values[order], places[order].astype(np.uint64), []
    for step in range(1, NEIGHBOURS + 1):
        same = np.flatnonzero(ordered[step:] == ordered[:-step])
        if not len(same):
            break
        pairs.append(items[same] << np.uint64(32) | items[same + step])
    return np.concatenate(pairs) if pairs else np.empty(0, dtype=np.uint64)


class Contents:
    """Packed contents by number, in one file; the numbers come in ascending order."""

    def __init__(self, path: Path, items: Iterable[tuple[int, bytes]]) -> None:
        self.numbers, self.ends, end = array("Q"), array("Q", [0]), 0
        with path.open("wb") as file:
            for number, content in items:
                file.write(content)
                end += len(content)
                self.numbers.append(number)
                self.ends.append(end)
        self.handle = os.open(path, os.O_RDONLY)

    def __getitem__(self, number: int) -> bytes:
        at = bisect_left(self.numbers, number)
        return os.pread(self.handle, self.ends[at + 1] - self.ends[at], self.ends[at])

    def close(self) -> None:
        os.close(self.handle)


def alike_pairs(pairs: np.ndarray, contents: Contents, modality: Any) -> np.ndarray:
    """The pairs whose contents are near-duplicates, int64 (pair, 2)."""
    traits: Callable[[int], Any] = lru_cache(REMEMBERED)(lambda number: modality.traits(modality.unpack(contents[number])))
    kept = [modality.alike(traits(int(one)), traits(int(other))) for one, other in pairs]
    return pairs[np.array(kept, dtype=bool)]
