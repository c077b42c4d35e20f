"""How many items each group has, and of which labels: 20 bytes for each pair of a group and a label."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from tasks.split.marks import key
from tasks.split.rows import Row

UNLABELLED = 0


def number(text: str | None) -> int:
    """64 bits that stand for a text; 0 for none."""
    return int.from_bytes(key(text)[:8], "little") if text else UNLABELLED


@dataclass(frozen=True)
class Groups:
    """Pairs of a group and a label, both as numbers, in order, with how many items each has."""

    groups: np.ndarray  # uint64 (pair,)
    labels: np.ndarray  # uint64 (pair,)
    counts: np.ndarray  # uint32 (pair,)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Groups:
        """Of the items that have a group."""
        groups, labels, counts = array("Q"), array("Q"), array("I")
        for (group, label), run in groupby((row.group, row.label) for row in rows if row.group):
            groups.append(number(group))
            labels.append(number(label))
            counts.append(sum(1 for _ in run))
        return cls(*(np.asarray(one) for one in (groups, labels, counts))).merged()

    def __add__(self, other: Groups) -> Groups:
        if not len(self.groups):
            return other
        pairs = ((self.groups, other.groups), (self.labels, other.labels), (self.counts, other.counts))
        return Groups(*map(np.concatenate, pairs)).merged()

    def merged(self) -> Groups:
        """Each pair once."""
        if not len(self.groups):
            return self
        order = np.lexsort((self.labels, self.groups)) if self.labels.any() else np.argsort(self.groups)
        groups, labels = self.groups[order], self.labels[order]
        same = (groups[1:] == groups[:-1]) & (labels[1:] == labels[:-1])
        if not same.any():
            return Groups(groups, labels, self.counts[order])
        first = np.flatnonzero(np.r_[True, ~same])
        return Groups(groups[first], labels[first], np.add.reduceat(self.counts[order], first))

    def sizes(self) -> tuple[np.ndarray, np.ndarray]:
        """The groups, uint64 (group,), and how many items each has, uint32 (group,)."""
        first = np.flatnonzero(np.r_[True, self.groups[1:] != self.groups[:-1]][: len(self.groups)])
        if len(first) == len(self.groups):
            return self.groups, self.counts
        return self.groups[first], np.add.reduceat(self.counts, first)

    def labelled_apart(self) -> np.ndarray:
        """The groups that are all that their label has, where there is another label: uint64 (group,)."""
        if not self.labels.any():
            return self.groups[:0]
        labels, times = np.unique(self.labels[self.labels != UNLABELLED], return_counts=True)
        groups, kinds = np.unique(self.groups, return_counts=True)
        alone = np.isin(self.labels, labels[times == 1]) & np.isin(self.groups, groups[kinds == 1])
        return self.groups[alone] if len(labels) > 1 else self.groups[:0]

    def labels_of(self) -> dict[int, set[int]]:
        """The labels of each group."""
        labels: dict[int, set[int]] = {}
        for group, label in zip(self.groups.tolist(), self.labels.tolist(), strict=True):
            labels.setdefault(group, set()).add(label)
        return labels
