"""The items of a version with what the clean shards say of them, a part at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tasks.dataset.tables import batches, shards

ROWS = 10_000  # that are in memory at a time


def placed(folder: Path, splits: Path, columns: Sequence[str]) -> Iterator[dict[str, list[Any]]]:
    """`id`, `split` and `columns` of the items that `splits` (a splits.parquet, in shard order) names.

    `folder` is `data/NAME/clean`. An item that is divided inside stands there once, with the last of its splits.
    """
    places = _places(splits)
    key, split = next(places, ("", ""))
    for rows in batches(shards(folder), list(dict.fromkeys(["id", *columns])), ROWS):
        chosen, chosen_splits = [], []
        for at, one in enumerate(rows["id"]):
            if one == key:
                chosen.append(at)
                chosen_splits.append(split)
                key, split = next(places, ("", ""))
        if chosen:
            yield {name: [values[at] for at in chosen] for name, values in rows.items()} | {"split": chosen_splits}


def _places(splits: Path) -> Iterator[tuple[str, str]]:
    """Each item with its last split."""
    pairs = (pair for part in batches([splits], ["id", "split"], ROWS) for pair in zip(part["id"], part["split"], strict=True))
    for _, rows in groupby(pairs, key=lambda pair: pair[0]):
        *_, last = rows
        yield last
