"""Find items that are the same, and items that are nearly the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.find import find
from tasks.references import CleanRef, DuplicatesRef
from tasks.stage import StageContext, stage
from tasks.tables import payloads, read, shards, write

TYPES = {
    "id": "string",
    "kept": "bool",
    "duplicate_of": "string",
    "rule": "string",
    "near": "list<string>",
    "cluster": "string",
}


class DeduplicateSettings(BaseModel):
    """What counts as a duplicate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    near: bool = Field(True, description="look for near-duplicates, which the split then keeps together (yes or no)")


@stage
def deduplicate(clean: CleanRef, settings: DeduplicateSettings, context: StageContext) -> DuplicatesRef:
    """Write `duplicates.parquet`: one row for each clean item, in shard order.

    Of exact duplicates the first in shard order is `kept`; each later one names it in `duplicate_of`, with
    rule `exact`, or `conflict` where both have a label and the labels differ. Where a modality `covers`, an item
    whose source gave a later one that has all of it and more is `superseded` by that. `near` lists the kept items
    before it that are near-duplicates of an item: a relation of pairs, which stays what it is when items are
    added later. `cluster` is the first id of all that hang together through such pairs.
    """
    folder = clean.path(context.workspace)
    rows = read(shards(folder), ["id", "label", "source", "exact", "near"])
    first = originals(rows["exact"])
    later = superseded(find("aigc_models.modalities", clean.modality), folder, rows, first)
    first = [resolved(original, later) for original in first]
    kept = [index for index, original in enumerate(first) if original == index]
    pairs = near_pairs(clean.modality, [rows["near"][index] for index in kept]) if settings.near else []
    heads = cluster_heads(len(kept), pairs)
    columns = compare(rows, first, kept, pairs, heads)
    sizes = [size for size in Counter(heads).values() if size > 1]
    figures = {
        "exact": len(first) - len(kept) - len(later),
        "conflicts": columns["rule"].count("conflict"),
        "groups": len(sizes),
        "grouped": sum(sizes),
        "superseded": len(later),
    }
    context.log(**figures)
    path = write(context.folder / "duplicates.parquet", TYPES, columns)
    return DuplicatesRef.to(context.workspace, path, dataset=clean.dataset, **figures)


def compare(
    rows: Mapping[str, list[Any]],
    first: Sequence[int],
    kept: Sequence[int],
    pairs: Sequence[tuple[int, int]],
    heads: Sequence[int],
) -> dict[str, list[Any]]:
    """The columns of `duplicates.parquet`; `pairs` and `heads` count the `kept` items, `first` counts all."""
    ids, labels = rows["id"], rows["label"]
    earlier: dict[int, list[str]] = {index: [] for index in kept}
    for left, right in pairs:
        earlier[kept[right]].append(ids[kept[left]])
    head_of = {index: ids[kept[head]] for index, head in zip(kept, heads, strict=True)}
    return {
        "id": ids,
        "kept": [index == original for index, original in enumerate(first)],
        "duplicate_of": [None if index == original else ids[original] for index, original in enumerate(first)],
        "rule": [
            None if index == original else "superseded" if original > index else rule(labels[original], labels[index])
            for index, original in enumerate(first)
        ],
        "near": [earlier.get(index, []) for index in range(len(ids))],
        "cluster": [head_of[original] for original in first],
    }


def originals(exact: Sequence[str]) -> list[int]:
    """For each item the index of the first one with the same fingerprint.

    >>> originals(["a", "b", "a"])
    [0, 1, 0]
    """
    seen: dict[str, int] = {}
    return [seen.setdefault(fingerprint, index) for index, fingerprint in enumerate(exact)]


def superseded(modality: ModuleType, folder: Path, rows: Mapping[str, list[Any]], first: Sequence[int]) -> dict[int, int]:
    """For each item that a later one of the same source covers, that one: a file that has grown was added again."""
    if not hasattr(modality, "covers"):
        return {}
    places = Counter(source for source, index in zip(rows["source"], range(len(first)), strict=True) if first[index] == index)
    again = [index for index, original in enumerate(first) if index == original and places[rows["source"][index]] > 1]
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


def rule(original: str | None, label: str | None) -> str:
    """Why a later copy is left out: `conflict` when both are labelled and the labels differ, or else `exact`."""
    return "conflict" if original and label and original != label else "exact"


def near_pairs(modality: str, fingerprints: Sequence[bytes]) -> list[tuple[int, int]]:
    """The near-duplicate pairs (earlier, later) in an order of their own."""
    pairs: Iterable[tuple[int, int]] = find("aigc_models.modalities", modality).near_pairs(fingerprints)
    return sorted({(min(pair), max(pair)) for pair in pairs})


def cluster_heads(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """For each of `count` items the first item of its connected component.

    >>> cluster_heads(4, [(0, 2), (2, 3)])
    [0, 1, 0, 0]
    """
    if not pairs:
        return list(range(count))
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = np.array(pairs).T
    _, component = connected_components(coo_array((np.ones(len(pairs)), (left, right)), shape=(count, count)), directed=False)
    return [int(head) for head in np.unique(component, return_index=True)[1][component]]
