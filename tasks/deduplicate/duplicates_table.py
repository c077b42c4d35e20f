"""The table of duplicates, written a part at a time; what its rows say of other items is read again from the shards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tasks.dataset.tables import Writer, batches, numbered, shards
from tasks.dataset.withdrawn import RULE as WITHDRAWN

TYPES = {
    "id": "string",
    "kept": "bool",
    "duplicate_of": "string",
    "rule": "string",
    "near": "list<string>",
    "cluster": "string",
}
GONE = -1  # in place of the number of an original, of a withdrawn item
ROWS = 10_000  # that are in memory as Python values at a time


@dataclass(frozen=True)
class Groups:
    """The items that are near-duplicates of others, by their number among all, and the first of those that hang together."""

    items: np.ndarray  # int64 (item,), ascending
    heads: np.ndarray  # int64 (item,)

    @classmethod
    def of(cls, pairs: np.ndarray) -> Groups:
        items, places = np.unique(pairs, return_inverse=True)
        return cls(items, items[cluster_heads(len(items), places.reshape(-1, 2))])

    def head(self, numbers: np.ndarray) -> list[int]:
        """For each item the first of those that it hangs together with; itself where it has none."""
        if not len(self.items):
            return list(numbers.tolist())
        at = np.minimum(np.searchsorted(self.items, numbers), len(self.items) - 1)
        return list(np.where(self.items[at] == numbers, self.heads[at], numbers).tolist())


@dataclass(frozen=True)
class Named:
    """Id and label of the items that rows of other items name."""

    numbers: np.ndarray  # int64 (item,), ascending
    ids: np.ndarray  # bytes (item,)
    labels: list[str | None]

    @classmethod
    def of(cls, folder: Path, numbers: np.ndarray) -> Named:
        """`numbers` among all clean items, ascending, each once."""
        ids, labels, interned = [np.empty(0, dtype="S1")], [], dict[str | None, str | None]()
        for part in numbered(folder, numbers, "id"):
            ids.append(np.array([one for _, one in part], dtype=np.bytes_))
        for part in numbered(folder, numbers, "label"):
            labels += [interned.setdefault(label, label) for _, label in part]  # each text once
        return cls(numbers, np.concatenate(ids), labels)

    def id(self, number: int) -> str:
        return bytes(self.ids[np.searchsorted(self.numbers, number)]).decode()

    def label(self, number: int) -> str | None:
        return self.labels[int(np.searchsorted(self.numbers, number))]


def write_rows(path: Path, folder: Path, first: np.ndarray, pairs: np.ndarray, groups: Groups) -> int:
    """Write the table, `ROWS` rows at a time; `pairs` are counted among all items, `first` is -1 for withdrawn ones.

    Gives how many labels conflict.
    """
    pairs = pairs[np.argsort(pairs[:, 1], kind="stable")]
    copied = first[(first != np.arange(len(first), dtype=first.dtype)) & (first >= 0)]
    named = Named.of(folder, np.unique(np.concatenate([copied, pairs[:, 0], groups.heads])))
    start, conflicts = 0, 0
    with Writer(path, TYPES, ROWS) as table:
        for part in batches(shards(folder), ["id", "label"], ROWS):
            rows = _rows(part, start, first, pairs, groups, named)
            conflicts += rows["rule"].count("conflict")
            start += len(rows["id"])
            table.add(rows)
    return conflicts


def _rows(
    part: Mapping[str, list[Any]], start: int, first: np.ndarray, pairs: np.ndarray, groups: Groups, named: Named
) -> dict[str, list[Any]]:
    """The rows of a part of the clean items, the first of which has the number `start`."""
    numbers = range(start, start + len(part["id"]))
    originals_ = first[start : numbers.stop].tolist()
    copies = [original not in (number, GONE) for number, original in zip(numbers, originals_, strict=True)]
    heads = groups.head(np.where(first[start : numbers.stop] == GONE, np.array(numbers), first[start : numbers.stop]))
    ends = np.searchsorted(pairs[:, 1], np.arange(start, numbers.stop + 1)).tolist()
    near = [pairs[low:high, 0].tolist() for low, high in pairwise(ends)]
    return {
        "id": part["id"],
        "kept": [original == number for number, original in zip(numbers, originals_, strict=True)],
        "duplicate_of": [named.id(one) if copy else None for copy, one in zip(copies, originals_, strict=True)],
        "rule": [
            rule(number, original, label, named)
            for number, original, label in zip(numbers, originals_, part["label"], strict=True)
        ],
        "near": [[named.id(one) for one in earlier] for earlier in near],
        "cluster": [
            key if head == number else named.id(head) for key, number, head in zip(part["id"], numbers, heads, strict=True)
        ],
    }


def rule(number: int, original: int, label: str | None, named: Named) -> str | None:
    """Why an item is left out: `conflict` when both it and its original are labelled and the labels differ, else `exact`."""
    if number == original:
        return None
    if original == GONE:
        return WITHDRAWN
    if original > number:
        return "superseded"
    other = named.label(original)
    return "conflict" if label and other and label != other else "exact"


def cluster_heads(count: int, pairs: np.ndarray) -> np.ndarray:
    """For each of `count` items the first item of its connected component, int64 (item,).

    >>> cluster_heads(4, np.array([[0, 2], [2, 3]])).tolist()
    [0, 1, 0, 0]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return np.arange(count)
    left, right = pairs.T
    ones = np.ones(len(pairs), dtype=bool)
    _, component = connected_components(coo_array((ones, (left, right)), shape=(count, count)), directed=False)
    return np.asarray(np.unique(component, return_index=True)[1][component])
