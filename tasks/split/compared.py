"""The table of places beside the one before it, and what it says of groups."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tasks.dataset.card import SPLITS
from tasks.dataset.tables import batches
from tasks.split.marks import KEY, Marks, key
from tasks.split.rows import AT_ONCE

NAMED = 6  # groups that a message names


def changed(before: Path, after: Path) -> int:
    """How many items stand in another split than `before`; those that stand in several, by time, are left out."""
    if not before.is_file():
        return 0
    columns = ["id", "split"]
    keys = bytearray()
    for part in batches([before], columns, AT_ONCE):
        for one in part["id"]:
            keys += key(one)
    marks, moved = Marks(keys), 0
    if KEY * len(marks) != len(keys):
        return 0
    for part in batches([before], columns, AT_ONCE):
        for place, split in zip(marks.places(part["id"]), part["split"], strict=True):
            marks[place] = 1 + SPLITS.index(split)
    for part in batches([after], columns, AT_ONCE):
        for place, split in zip(marks.places(part["id"]), part["split"], strict=True):
            moved += marks[place] not in (0, 1 + SPLITS.index(split))
    return moved


def largest(splits: Path) -> str:
    """The groups that most items have, with where these stand; empty where no two items have one."""
    counts: Counter[tuple[str, str]] = Counter()
    for part in batches([splits], ["group", "split"], AT_ONCE):
        counts.update(zip(part["group"], part["split"], strict=True))
    sizes = Counter[str]()
    for (group, _), count in counts.items():
        sizes[group] += count
    if not sizes or max(sizes.values()) < 2:
        return ""
    groups = [
        f"{group!r} ({', '.join(f'{counts[group, name]} {name}' for name in SPLITS if counts[group, name])})"
        for group, _ in sizes.most_common(NAMED)
    ]
    return f"; its groups are {', '.join(groups)}" + (f" and {len(sizes) - NAMED} more" if len(sizes) > NAMED else "")
