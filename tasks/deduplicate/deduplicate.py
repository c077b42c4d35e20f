"""Find items that are the same, and items that are nearly the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from aigc_models.find import find
from tasks.dataset.tables import batches, count_rows, numbered, payloads, read, shards
from tasks.dataset.withdrawn import withdrawn
from tasks.deduplicate import near_prints
from tasks.deduplicate.duplicates_table import ROWS, Groups, write_rows
from tasks.deduplicate.near_join import Columns, Contents, alike_pairs, candidates
from tasks.deduplicate.near_prints import Prints
from tasks.stage.references import CleanRef, DuplicatesRef
from tasks.stage.stage import StageContext, stage

PARTS = 16  # of the fingerprints, sorted one after the other


class DeduplicateSettings(BaseModel):
    """What counts as a duplicate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    near: bool = Field(True, description="look for near-duplicates, which the split then keeps together (yes or no)")


def fingerprints(paths: list[Path]) -> np.ndarray:
    """The first half of each item's sha256, uint64 (item, 2), in shard order."""
    digests, start = np.empty((sum(map(count_rows, paths)), 2), dtype=np.uint64), 0
    for part in batches(paths, ["exact"], ROWS):
        halves = np.frombuffer(b"".join(bytes.fromhex(exact[:32]) for exact in part["exact"]), dtype=">u8").reshape(-1, 2)
        digests[start : start + len(halves)] = halves
        start += len(halves)
    return digests


@stage
def deduplicate(clean: CleanRef, settings: DeduplicateSettings, context: StageContext) -> DuplicatesRef:
    """Write `duplicates.parquet`: one row for each clean item, in shard order.

    Of exact duplicates the first in shard order is `kept`; each later one names it in `duplicate_of`, with
    rule `exact`, or `conflict` where both have a label and the labels differ. Where a modality `covers`, an item
    whose source gave a later one that has all of it and more is `superseded` by that. `near` lists the kept items
    before it that are near-duplicates of an item: a relation of pairs, which stays what it is when items are
    added later. An item that its source no longer holds is `withdrawn`, and no other is a copy of it.
    `cluster` is the first id of all that hang together through such pairs.
    """
    folder, modality = clean.path(context.workspace), find("aigc_models.modalities", clean.modality)
    first = originals_present(folder)
    later = superseded(modality, folder, first)
    for earlier in later:
        first[first == earlier] = resolved(earlier, later)
    kept = np.flatnonzero(first == np.arange(len(first), dtype=first.dtype)).astype(first.dtype)
    pairs = near_pairs(modality, folder, kept, context) if settings.near else np.empty((0, 2), dtype=np.int64)
    pairs = kept[pairs].astype(np.int64)  # from now on counted among all
    groups = Groups.of(pairs)
    path = context.folder / "duplicates.parquet"
    figures = {
        "exact": int((first >= 0).sum()) - len(kept) - len(later),
        "conflicts": write_rows(path, folder, first, pairs, groups),
        "groups": len(np.unique(groups.heads)),
        "grouped": len(groups.items),
        "superseded": len(later),
    }
    context.log(**figures)
    return DuplicatesRef.to(context.workspace, path, dataset=clean.dataset, **figures)


def originals_present(folder: Path) -> np.ndarray:
    """As `originals`, of the items of `data/NAME/clean` that are not withdrawn; -1 for one that is, int32 (item,)."""
    exact, gone = fingerprints(shards(folder)), withdrawn(folder)
    if not gone:
        return originals(exact)
    keys = (key for part in batches(shards(folder), ["id"], ROWS) for key in part["id"])
    present = np.flatnonzero(np.fromiter((key not in gone for key in keys), dtype=bool, count=len(exact))).astype(np.int32)
    first = np.full(len(exact), -1, dtype=np.int32)
    first[present] = present[originals(exact[present])]
    return first


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
    states = defaultdict[str, list[int]](list)  # of each source, the earliest first
    for index in again:
        states[rows["source"][index]].append(index)
    successors: dict[int, int] = {}
    for earlier, one in (pair for same in states.values() for pair in combinations(same, 2)):
        if modality.covers(contents[rows["id"][one]], contents[rows["id"][earlier]]):
            successors[earlier] = one
    return successors


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
    of_prints = (near for part in numbered(folder, kept, "near") if (near := [value for _, value in part]))
    with TemporaryDirectory(dir=context.folder) as scratch:
        if hasattr(modality, "bands"):
            return _joined(modality, of_prints, folder, kept, Path(scratch))
        if hasattr(modality, "positions"):
            prints = Prints(Path(scratch) / "prints")
            for near in of_prints:
                prints.add(near)
            return near_prints.near_pairs(prints, modality)
        pairs: Iterable[tuple[int, int]] = modality.near_pairs([near for part in of_prints for near in part])
        return np.array(sorted({(min(pair), max(pair)) for pair in pairs}), dtype=np.int64).reshape(-1, 2)


def _joined(modality: ModuleType, prints: Iterable[list[bytes]], folder: Path, kept: np.ndarray, scratch: Path) -> np.ndarray:
    """By bands, then by the contents of those that share some."""
    with closing(Columns(scratch)) as columns:
        for near in prints:
            columns.add(modality.bands(near))
        pairs = candidates(columns, scratch)
    wanted = np.zeros(len(kept), dtype=bool)
    wanted[pairs.ravel()] = True
    chosen = ((at, content) for part in numbered(folder, kept, "content") for at, content in part if wanted[at])
    with closing(Contents(scratch / "contents", chosen)) as contents:
        return alike_pairs(pairs, contents, modality)
