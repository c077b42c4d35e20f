"""The clean items as the division sees them, one after the other in shard order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tasks.dataset.tables import batches, continues, shards
from tasks.dataset.withdrawn import RULE as WITHDRAWN

AT_ONCE = 10_000  # rows that are in memory at a time
CLEAN = ["id", "source", "label", "group", "split", "time", "exact"]
DUPLICATE_COLUMNS = ["near", "duplicate_of", "rule"]


class Row(NamedTuple):
    """A clean item; `near` are the kept items before it that it is nearly the same as."""

    id: str
    source: str
    label: str | None
    group: str | None
    given: str | None
    time: str | None
    exact: str
    near: tuple[str, ...]
    duplicate_of: str | None
    rule: str | None
    addition: int = 0  # number of the command that added it


@dataclass(frozen=True)
class Rows:
    """All items of `data/NAME/clean` beside what `duplicates.parquet` says of them; or those that are `copies` of
    others, or those that are not. Each time that it is gone through it is read anew.

    With `past` those are among them that no longer count: an earlier state of an item, or one that its source no longer has.
    Where labels are no classes, so that train need not have each of them, items are not `labelled`.
    """

    clean: Path
    duplicates: Path
    copies: bool
    past: bool = False
    labelled: bool = True

    def __iter__(self) -> Iterator[Row]:
        for (addition, clean), duplicate in zip(self._clean(), _values([self.duplicates], DUPLICATE_COLUMNS), strict=True):
            wanted = duplicate[2] != WITHDRAWN and (duplicate[1] is not None) == self.copies
            if wanted or (self.past and duplicate[2] in ("superseded", WITHDRAWN)):
                row = Row(*clean, *duplicate)._replace(addition=addition)
                yield row if self.labelled else row._replace(label=None)

    def _clean(self) -> Iterator[tuple[int, tuple[Any, ...]]]:
        addition = -1
        for shard in shards(self.clean):
            addition += not continues(self.clean.parent / "raw" / shard.name)
            yield from ((addition, values) for values in _values([shard], CLEAN))


def _values(paths: list[Path], columns: list[str]) -> Iterator[tuple[Any, ...]]:
    for part in batches(paths, columns, AT_ONCE):
        yield from zip(*part.values(), strict=True)
