"""The ids of items and a mark of each, in 16 bytes an item."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence

import numpy as np

RECENT = 50_000  # ids that are kept as they are, before they are sorted in among the others
KEYS = np.dtype("S12")  # the same 12 bytes as one value
PARTS = np.dtype([("head", ">u8"), ("tail", ">u4")])  # of an id: 16 digits, and 8


def keys_of(ids: Collection[str]) -> np.ndarray:
    """Ids as bytes, in their order, S12 (item,)."""
    return np.frombuffer(bytes.fromhex("".join(ids)), dtype=KEYS)


def within(keys: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Which of `keys` are among those that are in order, bool (item,)."""
    if not len(ordered):
        return np.zeros(len(keys), dtype=bool)
    at = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    return np.asarray(ordered[at] == keys)


class Ids:
    """A set of ids of 24 hexadecimal digits, each with a mark (uint32): sorted numbers, and a few that came last."""

    def __init__(self) -> None:
        self.heads, self.tails = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint32)
        self.marks = np.empty(0, dtype=np.uint32)
        self.sought: Sequence[int] = ()  # the heads as plain numbers, which bisect compares much faster than numpy's
        self.recent: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.heads) + len(self.recent)

    def __contains__(self, one: str) -> bool:
        return self.mark(one) is not None

    def mark(self, one: str) -> int | None:
        """What the id was added with; None where it was not."""
        if one in self.recent:
            return self.recent[one]
        head = int(one[:16], 16)
        at = bisect_left(self.sought, head)
        while at < len(self.sought) and self.sought[at] == head:
            if self.tails[at] == int(one[16:], 16):
                return int(self.marks[at])
            at += 1
        return None

    def add(self, one: str, mark: int = 0) -> bool:
        """Whether it was new; the mark of one that was not stays."""
        if one in self:
            return False
        self.recent[one] = mark
        if len(self.recent) >= RECENT:
            self.sort_in(self.recent.keys(), list(self.recent.values()))
            self.recent.clear()
        return True

    def keys(self) -> np.ndarray:
        """All ids as bytes, ascending, S12 (item,)."""
        if self.recent:
            self.sort_in(self.recent.keys(), list(self.recent.values()))
            self.recent.clear()
        parts = np.empty(len(self.heads), dtype=PARTS)
        parts["head"], parts["tail"] = self.heads, self.tails
        return np.sort(parts.view(KEYS))

    def sort_in(self, ids: Collection[str], marks: Sequence[int] = ()) -> None:
        """Add many at once, none of which is in yet; their marks in the same order, else 0."""
        new = np.frombuffer(bytes.fromhex("".join(ids)), dtype=PARTS)
        order = np.argsort(new["head"], kind="stable")
        at = np.searchsorted(self.heads, new["head"][order])
        self.heads = np.insert(self.heads, at, new["head"][order])
        self.tails = np.insert(self.tails, at, new["tail"][order])
        self.marks = np.insert(self.marks, at, np.array(marks or [0] * len(new), dtype=np.uint32)[order])
        self.sought = self.heads.data
