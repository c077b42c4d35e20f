"""Find items that are the same, and items that are nearly the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
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
from tasks.tables import Writer, batches, payloads, read, shards

TYPES = {
    "id": "string",
    "kept": "bool",
    "duplicate_of": "string",
    "rule": "string",
    "near": "list<string>",
    "cluster": "string",
}
ROWS = 10_000  # that are in memory as Python values at a time


class DeduplicateSettings(BaseModel):
    """What counts as a duplicate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    near: bool = Field(True, description="look for near-duplicates, which the split then keeps together (yes or no)")


@dataclass
class Items:
    """What is compared of all clean items, in shard order, as arrays: 60 bytes an item."""

    ids: np.ndarray  # bytes
    exact: np.ndarray  # uint64 (item, 2): the first half of the sha256
    labels: np.ndarray  # int32: the number of the label, -1 for none

    @classmethod
    def of(cls, paths: list[Path]) -> Items:
        """From clean shards, one in memory at a time."""
        known: dict[str | None, int] = {None: -1, "": -1}
        parts = [_arrays(read([path], ["id", "exact", "label"]), known) for path in paths]
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def id(self, index: int) -> str:
        return bytes(self.ids[index]).decode()


def _arrays(rows: Mapping[str, list[Any]], known: dict[str | None, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    halves = np.frombuffer(b"".join(bytes.fromhex(exact[:32]) for exact in rows["exact"]), dtype=">u8").reshape(-1, 2)
    labels = [known.setdefault(label, len(known)) for label in rows["label"]]
    return np.array(rows["id"], dtype=np.bytes_), halves.astype(np.uint64), np.array(labels, dtype=np.int32)


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
    items = Items.of(shards(folder))
    first = originals(items.exact)
    later = superseded(modality, folder, first)
    for earlier in later:
        first[first == earlier] = resolved(earlier, later)
    kept = np.flatnonzero(first == np.arange(len(first)))
    pairs = near_pairs(modality, folder, kept, context) if settings.near else np.empty((0, 2), dtype=np.int64)
    heads = cluster_heads(len(kept), pairs)
    path = context.folder / "duplicates.parquet"
    conflicts = write_rows(path, items, first, kept, pairs, heads)
    sizes = np.bincount(heads, minlength=1)
    figures = {
        "exact": len(first) - len(kept) - len(later),
        "conflicts": conflicts,
        "groups": int((sizes > 1).sum()),
        "grouped": int(sizes[sizes > 1].sum()),
        "superseded": len(later),
    }
    context.log(**figures)
    return DuplicatesRef.to(context.workspace, path, dataset=clean.dataset, **figures)


def write_rows(path: Path, items: Items, first: np.ndarray, kept: np.ndarray, pairs: np.ndarray, heads: np.ndarray) -> int:
    """Write the table, `ROWS` rows at a time; `pairs` and `heads` count the `kept` items. Gives how many labels conflict."""
    order = np.argsort(pairs[:, 1], kind="stable")
    earlier, ends = kept[pairs[order, 0]], np.searchsorted(kept[pairs[order, 1]], np.arange(len(first) + 1))
    head_of = np.empty(len(first), dtype=np.int64)
    head_of[kept] = kept[heads]
    conflicts = 0
    with Writer(path, TYPES) as table:
        for start in range(0, len(first), ROWS):
            rows = range(start, min(start + ROWS, len(first)))
            rules = [rule(items, int(first[index]), index) for index in rows]
            conflicts += rules.count("conflict")
            table.add(
                {
                    "id": [items.id(index) for index in rows],
                    "kept": [index == first[index] for index in rows],
                    "duplicate_of": [None if index == first[index] else items.id(first[index]) for index in rows],
                    "rule": rules,
                    "near": [[items.id(one) for one in earlier[ends[index] : ends[index + 1]]] for index in rows],
                    "cluster": [items.id(head_of[first[index]]) for index in rows],
                }
            )
    return conflicts


def rule(items: Items, original: int, index: int) -> str | None:
    """Why an item is left out: `conflict` when both it and its original are labelled and the labels differ, else `exact`."""
    if index == original:
        return None
    if original > index:
        return "superseded"
    both = items.labels[original], items.labels[index]
    return "conflict" if min(both) >= 0 and both[0] != both[1] else "exact"


def originals(exact: np.ndarray) -> np.ndarray:
    """For each item, uint64 (item, 2), the index of the first one with the same fingerprint, int64 (item,).

    >>> originals(np.array([[7, 1], [7, 2], [7, 1]], dtype=np.uint64)).tolist()
    [0, 1, 0]
    """
    order = np.lexsort((exact[:, 1], exact[:, 0]))
    ordered = exact[order]
    starts = np.ones(len(order), dtype=bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    first = np.empty(len(order), dtype=np.int64)
    first[order] = order[np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))]
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
        found = candidates(columns)
        wanted = np.zeros(len(kept), dtype=bool)
        wanted[found.ravel()] = True
        chosen = ((at, content) for part in _of_kept(folder, kept, "content") for at, content in part if wanted[at])
        with closing(Contents(Path(scratch) / "contents", chosen)) as contents:
            return alike_pairs(found, contents, modality)


def _of_kept(folder: Path, kept: np.ndarray, column: str) -> Iterator[list[tuple[int, Any]]]:
    """A column of the kept items, each with its number among them, a part of a shard at a time."""
    start = 0
    for part in batches(shards(folder), [column], ROWS):
        values = part[column]
        low, high = np.searchsorted(kept, (start, start + len(values)))
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
