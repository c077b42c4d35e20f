"""Which items are known, in 12 bytes each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence

import numpy as np

RECENT = 50_000  # ids that are kept as they are, before they are sorted in among the others
PARTS = np.dtype([("head", ">u8"), ("tail", ">u4")])  # of an id: 16 digits, and 8


class Ids:
    """A set of ids of 24 hexadecimal digits: sorted numbers, and a small set of those that came last."""

    def __init__(self) -> None:
        self.heads, self.tails = np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.uint32)
        self.sought: Sequence[int] = ()  # the heads as plain numbers, which bisect compares much faster than numpy's
        self.recent: set[str] = set()

    def __len__(self) -> int:
        return len(self.heads) + len(self.recent)

    def __contains__(self, one: str) -> bool:
        if one in self.recent:
            return True
        head = int(one[:16], 16)
        at = bisect_left(self.sought, head)
        while at < len(self.sought) and self.sought[at] == head:
            if self.tails[at] == int(one[16:], 16):
                return True
            at += 1
        return False

    def add(self, one: str) -> bool:
        """Whether it was new."""
        if one in self:
            return False
        self.recent.add(one)
        if len(self.recent) >= RECENT:
            self.sort_in(self.recent)
            self.recent.clear()
        return True

    def sort_in(self, ids: Collection[str]) -> None:
        """Add many at once, none of which is known yet."""
        new = np.sort(np.frombuffer(bytes.fromhex("".join(ids)), dtype=PARTS), order="head")
        at = np.searchsorted(self.heads, new["head"])
        self.heads, self.tails = np.insert(self.heads, at, new["head"]), np.insert(self.tails, at, new["tail"])
        self.sought = self.heads.data
