"""Items that their source no longer holds: shards are append-only, so their rows stay there and count for nothing.

`withdrawn.txt` lists their ids, one a line, beside the raw shards and again beside the clean ones, since a stage sees a
change in what it is given by the digest of that folder. One that comes back is taken off the list.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasks.dataset.tables import batches, count_rows, shards

FILE = "withdrawn.txt"
RULE = "withdrawn"  # of such an item in the table of duplicates
ROWS = 10_000  # that are in memory at a time


def withdrawn(folder: Path) -> frozenset[str]:
    """The ids on the list of `data/NAME/raw`, or of `data/NAME/clean`; none where there is no list."""
    file = folder / FILE
    return frozenset(file.read_text(encoding="ascii").split()) if file.is_file() else frozenset()


def keep(folder: Path, ids: Iterable[str], scratch: Path) -> None:
    """Make these the list of a folder, whole or not at all; without any there is no list."""
    ordered = sorted(ids)
    if not ordered:
        (folder / FILE).unlink(missing_ok=True)
        return
    (scratch / FILE).write_text("\n".join(ordered) + "\n", encoding="ascii")
    folder.mkdir(parents=True, exist_ok=True)
    os.replace(scratch / FILE, folder / FILE)


def current(folder: Path, columns: list[str], rejected: bool = False, rows: int = ROWS) -> Iterator[dict[str, list[Any]]]:
    """Some columns of the shards in a folder, or of what was rejected, without the rows of withdrawn items, in parts."""
    gone = withdrawn(folder)
    wanted = list(dict.fromkeys([*columns, *(["id"] if gone else [])]))
    for part in batches(shards(folder, rejected), wanted, rows):
        places = [at for at, key in enumerate(part["id"]) if key not in gone] if gone else None
        yield {name: part[name] if places is None else [part[name][at] for at in places] for name in columns}


def count_current(folder: Path, rejected: bool = False) -> int:
    """How many rows the shards in a folder have that are not withdrawn."""
    if not withdrawn(folder):
        return sum(map(count_rows, shards(folder, rejected)))
    return sum(len(part["id"]) for part in current(folder, ["id"], rejected))


def count_marks(folder: Path, column: str) -> dict[str, int]:
    """How many current rows have each value in a column of lists, sorted by value."""
    counts: Counter[str] = Counter()
    for part in current(folder, [column]):
        counts.update(mark for marks in part[column] for mark in set(marks))
    return dict(sorted(counts.items()))
