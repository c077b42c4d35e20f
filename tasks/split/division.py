"""The tables that a division leaves: `splits.parquet`, and what stands nowhere, part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from tasks.dataset.tables import QUARANTINE, Writer
from tasks.split.place import Place
from tasks.split.rows import AT_ONCE

SPLIT = dict.fromkeys(("id", "split", "group"), "string")
ROWS = 50_000  # of a row group


@dataclass(frozen=True)
class Division:
    """`rows` of `kept` items stand somewhere; `counts` says how many items, or steps of them, each split has; `left`
    how many stand nowhere, by rule. `card` goes into the data card on top of what it says of every data set; `groups` says
    how many were not placed by their hash.
    """

    rows: int
    kept: int
    counts: dict[str, int]
    left: dict[str, int]
    card: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)


def write_tables(places: Iterable[Place], folder: Path, folds: bool = False) -> tuple[Counter[str], Counter[str]]:
    """Write `splits.parquet` and `left_out.parquet` (columns of the quarantine); how many rows of each split, and rule."""
    types = SPLIT | ({"fold": "int32"} if folds else {})
    splits, rules, left = Counter[str](), Counter[str](), iter(places)
    with (
        Writer(folder / "splits.parquet", types, ROWS) as table,
        Writer(folder / "left_out.parquet", QUARANTINE, ROWS) as rest,
    ):
        while part := list(islice(left, AT_ONCE)):
            standing, out = [one for one in part if one.split], [one for one in part if not one.split]
            splits.update(one.split for one in standing if one.split)
            rules.update(one.rule for one in out)
            table.add(_standing(standing))
            rest.add(_out(out))
    return splits, rules


def _standing(places: list[Place]) -> dict[str, list[Any]]:
    return {
        "id": [one.row.id for one in places],
        "split": [one.split for one in places],
        "group": [one.row.group or one.row.exact for one in places],
        "fold": [one.fold for one in places],
    }


def _out(places: list[Place]) -> dict[str, list[Any]]:
    stated = {name: [getattr(one.row, name) for one in places] for name in ("id", "source", "label")}
    return stated | {name: [getattr(one, name) for one in places] for name in ("stage", "rule", "reason")}
