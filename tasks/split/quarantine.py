"""The table of all that was thrown away, and why."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tasks.dataset.tables import QUARANTINE, Writer, batches, shards
from tasks.dataset.withdrawn import current
from tasks.split.division import ROWS
from tasks.split.marks import Marks, key
from tasks.split.rows import AT_ONCE, Row, Rows


def quarantine(path: Path, clean: Path, duplicates: Path, left_out: Path) -> int:
    """Write what was rejected, then duplicates, then what the division left out; gives how many there are."""
    with Writer(path, QUARANTINE, ROWS) as table:
        for part in current(clean, ["id", "source", "label", "rule", "reason"], rejected=True, rows=AT_ONCE):
            table.add(part | {"stage": ["clean"] * len(part["id"])})
        for part in _copies(clean, duplicates):
            table.add(part)
        for part in batches([left_out], list(QUARANTINE), AT_ONCE):
            table.add(part)
    return table.row_count


def _copies(clean: Path, duplicates: Path) -> Iterator[dict[str, list[Any]]]:
    originals, sources = _originals(clean, duplicates)
    left = iter(Rows(clean, duplicates, copies=True)) if len(originals) else iter(())
    while part := list(islice(left, AT_ONCE)):
        places = originals.places(row.duplicate_of for row in part)
        yield {
            "id": [row.id for row in part],
            "source": [row.source for row in part],
            "label": [row.label for row in part],
            "stage": ["duplicate"] * len(part),
            "rule": [row.rule for row in part],
            "reason": [_same(row, sources[place]) for row, place in zip(part, places, strict=True)],
        }


def _originals(clean: Path, duplicates: Path) -> tuple[Marks, list[str]]:
    """The items that others are copies of, and where each of them comes from."""
    named = (one for part in batches([duplicates], ["duplicate_of"], AT_ONCE) for one in part["duplicate_of"])
    keys = bytearray()
    for one in named:
        if one is not None:
            keys += key(one)
    originals = Marks(keys)
    sources = [""] * len(originals)
    for part in batches(shards(clean), ["id", "source"], AT_ONCE) if len(originals) else ():
        for place, source in zip(originals.places(part["id"]), part["source"], strict=True):
            if place >= 0:
                sources[place] = source
    return originals, sources


def _same(row: Row, source: str) -> str:
    if row.rule == "superseded":
        return f"a later state of {source} has these points and more"
    return f"same content as {source}"
