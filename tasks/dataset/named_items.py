"""The items that the data card names, by id alone: what they are called and what they hold may have to be forgotten.

An id is a hash of an item's content and place, so the lowest ids are a random choice that every machine makes alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nsmallest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.dataset.tables import batches

if TYPE_CHECKING:
    import pyarrow

ROWS = 10_000  # that are in memory at a time
SHOWN = 12  # train items
REJECTED = 5  # items of each rule
CLUSTERS = 10
MEMBERS = 3  # of a cluster


def named(splits: Path, quarantine: Path, duplicates: Path) -> dict[str, Any]:
    """The card's `examples` and `clusters`, from the tables of a version and that of `tasks.deduplicate.deduplicate`."""
    return {"examples": examples(splits, quarantine), "clusters": clusters(duplicates)}


def examples(splits: Path, quarantine: Path) -> dict[str, Any]:
    """Ids of train items at random, and of some that each rule threw away."""
    rejected: dict[str, list[str]] = {}
    for part in batches([quarantine], ["id", "rule"], ROWS):
        for rule in set(part["rule"]):
            ids = (key for key, cause in zip(part["id"], part["rule"], strict=True) if cause == rule)
            rejected[rule] = nsmallest(REJECTED, [*rejected.get(rule, []), *ids])
    return {"train": nsmallest(SHOWN, _train(splits)), "rejected": dict(sorted(rejected.items()))}


def _train(splits: Path) -> Iterator[str]:
    for part in batches([splits], ["id", "split"], ROWS):
        yield from (key for key, name in zip(part["id"], part["split"], strict=True) if name == "train")


def clusters(duplicates: Path) -> list[dict[str, Any]]:
    """The largest groups of near-duplicates, exact copies left out: how many items, and the ids of the first of them.

    `duplicates` is the table that `tasks.deduplicate.deduplicate` writes.
    """
    import pyarrow

    heads = pyarrow.concat_arrays([rows["cluster"] for rows in _later(duplicates)] or [pyarrow.array([], pyarrow.string())])
    counted = zip(*(column.to_pylist() for column in heads.value_counts().flatten()), strict=True)
    largest = nsmallest(CLUSTERS, ((-count, head) for head, count in counted))
    members = {head: [head] for _, head in largest}
    for rows in _later(duplicates):
        for key, head in zip(rows["id"].to_pylist(), rows["cluster"].to_pylist(), strict=True):
            if len(members.get(head, range(MEMBERS))) < MEMBERS:
                members[head].append(key)
    return [{"size": 1 - count, "ids": members[head]} for count, head in largest]


def _later(duplicates: Path) -> Iterator[pyarrow.RecordBatch]:
    """The rows of those members of groups that are not their first."""
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(duplicates) as file:
        for batch in file.iter_batches(columns=["id", "kept", "cluster"]):
            yield batch.filter(compute.and_(batch["kept"], compute.not_equal(batch["id"], batch["cluster"])))
