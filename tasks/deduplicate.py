"""Find items that are the same, and items that are nearly the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from aigc_models.find import find
from tasks.near_join import Columns, Contents, alike_pairs, candidates
from tasks.references import CleanRef, DuplicatesRef
from tasks.stage import StageContext, stage
from tasks.tables import CONTENTS, Writer, batches, count_rows, payloads, read, shards

TYPES = {
    "id": "string",
    "kept": "bool",
    "duplicate_of": "string",
    "rule": "string",
    "near": "list<string>",
    "cluster": "string",
}
PARTS = 16  # of the fingerprints, sorted one after the other
ROWS = 10_000  # that are in memory as Python values at a time


class DeduplicateSettings(BaseModel):
    """What counts as a duplicate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    near: bool = Field(True, description="look for near-duplicates, which the split then keeps together (yes or no)")


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
        ids, labels, known = [np.empty(0, dtype="S1")], [], dict[str | None, str | None]()
        for part in _of_kept(folder, numbers, "id"):
            ids.append(np.array([one for _, one in part], dtype=np.bytes_))
        for part in _of_kept(folder, numbers, "label"):
            labels += [known.setdefault(label, label) for _, label in part]  # each text once
        return cls(numbers, np.concatenate(ids), labels)

    def id(self, number: int) -> str:
        return bytes(self.ids[np.searchsorted(self.numbers, number)]).decode()

    def label(self, number: int) -> str | None:
        return self.labels[int(np.searchsorted(self.numbers, number))]


def fingerprints(paths: list[Path]) -> np.ndarray:
    """The first half of each item's sha256, uint64 (item, 2), in shard order."""
    found, start = np.empty((sum(map(count_rows, paths)), 2), dtype=np.uint64), 0
    for part in batches(paths, ["exact"], ROWS):
        halves = np.frombuffer(b"".join(bytes.fromhex(exact[:32]) for exact in part["exact"]), dtype=">u8").reshape(-1, 2)
        found[start : start + len(halves)] = halves
        start += len(halves)
    return found


@stage
def deduplicate(clean: CleanRef, settings: DeduplicateSettings, context: StageContext) -> DuplicatesRef:
    """Write `duplicates.parquet`: one row for each clean item, in shard order.

    Of exact duplicates the first in shard order is `kept`; each later one names it in `duplicate_of`, with
    rule `exact`, or `conflict` where both have a label and the labels differ. Where a modality `covers`, an item
    whose source gave a later one that has all of it and more is `superseded` by that. `near` lists the kept items
    before it that are near-duplicates of an item: a relation of pairs, which stays what it is when items are
    added later. `cluster` is the first id of all that hang together through such pairs.
    """
    folder, modality = clean.path(context.workspace), find("aigc_models.modalities", clean.modality)
    first = originals(fingerprints(shards(folder)))
    later = superseded(modality, folder, first)
    for earlier in later:
        first[first == earlier] = resolved(earlier, later)
    kept = np.flatnonzero(first == np.arange(len(first), dtype=first.dtype)).astype(first.dtype)
    pairs = near_pairs(modality, folder, kept, context) if settings.near else np.empty((0, 2), dtype=np.int64)
    pairs = kept[pairs].astype(np.int64)  # from now on counted among all
    groups = Groups.of(pairs)
    path = context.folder / "duplicates.parquet"
    figures = {
        "exact": len(first) - len(kept) - len(later),
        "conflicts": write_rows(path, folder, first, pairs, groups),
        "groups": len(np.unique(groups.heads)),
        "grouped": len(groups.items),
        "superseded": len(later),
    }
    context.log(**figures)
    return DuplicatesRef.to(context.workspace, path, dataset=clean.dataset, **figures)


def write_rows(path: Path, folder: Path, first: np.ndarray, pairs: np.ndarray, groups: Groups) -> int:
    """Write the table, `ROWS` rows at a time; `pairs` are counted among all items. Gives how many labels conflict."""
    pairs = pairs[np.argsort(pairs[:, 1], kind="stable")]
    copied = first[first != np.arange(len(first), dtype=first.dtype)]
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
    copies = [original != number for number, original in zip(numbers, originals_, strict=True)]
    heads = groups.head(first[start : numbers.stop])
    ends = np.searchsorted(pairs[:, 1], np.arange(start, numbers.stop + 1)).tolist()
    near = [pairs[low:high, 0].tolist() for low, high in pairwise(ends)]
    return {
        "id": part["id"],
        "kept": [not copy for copy in copies],
        "duplicate_of": [named.id(one) if copy else None for copy, one in zip(copies, originals_, strict=True)],
        "rule": [
            rule(number, original, label, named)
            for number, original, label in zip(numbers, originals_, part["label"], strict=True)
        ],
        "near": [[named.id(one) for one in earlier] for earlier in near],
        "cluster": [
            own if head == number else named.id(head) for own, number, head in zip(part["id"], numbers, heads, strict=True)
        ],
    }


def rule(number: int, original: int, label: str | None, named: Named) -> str | None:
    """Why an item is left out: `conflict` when both it and its original are labelled and the labels differ, else `exact`."""
    if number == original:
        return None
    if original > number:
        return "superseded"
    other = named.label(original)
    return "conflict" if label and other and label != other else "exact"


def originals(exact: np.ndarray) -> np.ndarray:
    """For each item, uint64 (item, 2), the index of the first one with the same fingerprint, int32 (item,).

    >>> originals(np.array([[7, 1], [7, 2], [7, 1]], dtype=np.uint64)).tolist()
    [0, 1, 0]
    """
    first = np.empty(len(exact), dtype=np.int32)
    lowest = exact.view(np.uint8)[:, 0] % PARTS
    for part in range(PARTS):  # so that what sorting takes is small beside the fingerprints
        places = np.flatnonzero(lowest == part)
        order = np.lexsort((exact[places, 1], exact[places, 0]))
        ordered = exact[places[order]]
        starts = np.ones(len(order), dtype=bool)
        starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
        same = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
        first[places[order]] = places[order[same]]
    return first


def superseded(modality: ModuleType, folder: Path, first: np.ndarray) -> dict[int, int]:
    """For each item that a later one of the same source covers, that one: a file that has grown was added again."""
    if not hasattr(modality, "covers"):
        return {}
    rows = read(shards(folder), ["id", "source"])
    places = Counter(source for index, source in enumerate(rows["source"]) if first[index] == index)
    again = [index for index, source in enumerate(rows["source"]) if index == first[index] and places[source] > 1]
    contents = {key: modality.unpack(payload) for key, payload in payloads(folder, {rows["id"][index] for index in again})}
    found: dict[int, int] = {}
    for at, earlier in enumerate(again):
        for one in again[at + 1 :]:
            same = rows["source"][one] == rows["source"][earlier]
            if same and modality.covers(contents[rows["id"][one]], contents[rows["id"][earlier]]):
                found[earlier] = one
    return found


def resolved(index: int, later: Mapping[int, int]) -> int:
    """The item that stands for another one in the end.

    >>> resolved(0, {0: 1, 1: 3})
    3
    """
    while index in later:
        index = later[index]
    return index


def near_pairs(modality: ModuleType, folder: Path, kept: np.ndarray, context: StageContext) -> np.ndarray:
    """The near-duplicates among the kept items, int64 (pair, 2), the earlier first, both counted among the kept."""
    if not hasattr(modality, "bands"):
        prints = [near for part in _of_kept(folder, kept, "near") for _, near in part]
        pairs: Iterable[tuple[int, int]] = modality.near_pairs(prints)
        return np.array(sorted({(min(pair), max(pair)) for pair in pairs}), dtype=np.int64).reshape(-1, 2)
    with TemporaryDirectory(dir=context.folder) as scratch, closing(Columns(Path(scratch))) as columns:
        for part in _of_kept(folder, kept, "near"):
            if part:
                columns.add(modality.bands([near for _, near in part]))
        found = candidates(columns, Path(scratch))
        wanted = np.zeros(len(kept), dtype=bool)
        wanted[found.ravel()] = True
        chosen = ((at, content) for part in _of_kept(folder, kept, "content") for at, content in part if wanted[at])
        with closing(Contents(Path(scratch) / "contents", chosen)) as contents:
            return alike_pairs(found, contents, modality)


def _of_kept(folder: Path, kept: np.ndarray, column: str) -> Iterator[list[tuple[int, Any]]]:
    """A column of the kept items, each with its number among them, a part of a shard at a time."""
    start = 0
    for part in batches(shards(folder), [column], CONTENTS if column == "content" else ROWS):
        values = part[column]
        low, high = np.searchsorted(kept, np.array([start, start + len(values)], dtype=kept.dtype))  # else kept is copied
        yield [(at, values[kept[at] - start]) for at in range(int(low), int(high))]
        start += len(values)


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
