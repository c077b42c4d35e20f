"""Near-duplicates among many items, in memory that holds numbers and no contents.

A modality with `bands(near)` and `alike(one, other)` gives each item a few numbers (bands of a MinHash: Broder 1997;
Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4). Items that share some are candidates, joined by
sorting a column of bands at a time, and each candidate pair is compared by its contents, which wait in a file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

NEIGHBOURS = 50  # of the items before it that share a band, an item is compared with so many; the rest hang on these
SHARED = 2  # bands: with 24 of five rows, a pair at 0.8 shares fewer once in 1,100, one at 0.3 more once in 640
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


def candidates(columns: Iterable[np.ndarray], least: int = SHARED) -> np.ndarray:
    """Pairs of items that share a number in `least` columns, int64 (pair, 2), the earlier first, in order.

    An item's pairs with those before it do not depend on what comes after it.
    """
    found, shared = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
    for column in columns:
        new = _equal(column)
        found, places = np.unique(np.concatenate([found, new]), return_inverse=True)
        shared = np.bincount(places, np.concatenate([shared, np.ones(len(new), dtype=np.int64)])).astype(np.int64)
    found = found[shared >= least]
    return np.stack([(found >> np.uint64(32)).astype(np.int64), (found & np.uint64(0xFFFFFFFF)).astype(np.int64)], axis=1)


def _equal(column: np.ndarray) -> np.ndarray:
    """Pairs of a column as earlier << 32 | later."""
    order = np.argsort(column, kind="stable")
    ordered, pairs = column[order], []
    for step in range(1, NEIGHBOURS + 1):
        same = np.flatnonzero(ordered[step:] == ordered[:-step])
        if not len(same):
            break
        pairs.append(order[same].astype(np.uint64) << np.uint64(32) | order[same + step].astype(np.uint64))
    return np.concatenate(pairs) if pairs else np.empty(0, dtype=np.uint64)


class Contents:
    """Packed contents by number, in one file."""

    def __init__(self, path: Path, items: Iterable[tuple[int, bytes]]) -> None:
        self.places: dict[int, tuple[int, int]] = {}
        self.path, end = path, 0
        with path.open("wb") as file:
            for number, content in items:
                file.write(content)
                self.places[number] = (end, len(content))
                end += len(content)
        self.handle = os.open(path, os.O_RDONLY)

    def __getitem__(self, number: int) -> bytes:
        start, length = self.places[number]
        return os.pread(self.handle, length, start)

    def close(self) -> None:
        os.close(self.handle)


def alike_pairs(pairs: np.ndarray, contents: Contents, modality: Any) -> np.ndarray:
    """The pairs whose contents are near-duplicates, int64 (pair, 2)."""
    traits: Callable[[int], Any] = lru_cache(REMEMBERED)(lambda number: modality.traits(modality.unpack(contents[number])))
    kept = [modality.alike(traits(int(one)), traits(int(other))) for one, other in pairs]
    return pairs[np.array(kept, dtype=bool)]
