"""A fixed sample of what a version of a data set trains and tests on, read from the cache.

An item is known by the digest of its content, so what two versions both hold is found whatever file it came from. The
items with the lowest digests are taken: each is as likely as any other, and versions that share items share sampled ones.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from aigc_models.find import find
from tasks.dataset.tables import is_clean_shard, payloads_of

if TYPE_CHECKING:
    import pyarrow

AT_ONCE = 500  # items that are unpacked at a time
NEIGHBOURS = 8  # pieces of a series that are held out together, since they are alike for standing side by side


@dataclass(frozen=True)
class Entry:
    """An item of a sample; `key` is the digest of its content, and those of one `group` belong together."""

    key: str
    id: str
    group: str
    label: str | None


@dataclass(frozen=True)
class Opened:
    """A version as its files in the cache tell it; items in no split are left out."""

    files: Mapping[str, Path]

    @cached_property
    def card(self) -> dict[str, Any]:
        card: dict[str, Any] = json.loads(self.files["card.json"].read_text(encoding="utf-8"))
        return card

    @property
    def modality(self) -> ModuleType:
        return find("aigc_models.modalities", self.card["modality"])

    @cached_property
    def shards(self) -> list[Path]:
        return [place for name, place in sorted(self.files.items()) if is_clean_shard(name)]

    @cached_property
    def table(self) -> pyarrow.Table:
        """Columns exact, id, label, group."""
        import pyarrow.parquet as parquet

        placed = parquet.read_table(self.files["splits.parquet"], columns=["id", "group"])
        tables = (parquet.read_table(shard, columns=["id", "exact", "label"]) for shard in self.shards)
        return _joined([table.join(placed, "id", join_type="inner") for table in tables])

    @property
    def count(self) -> int:
        return len(self.table)

    def shared(self, other: Opened) -> int:
        """How many items another version holds too."""
        import pyarrow.compute as compute

        return int(compute.sum(compute.is_in(self.table["exact"], value_set=other.table["exact"])).as_py() or 0)

    def entries(self, most: int, beyond: Opened | None = None) -> list[Entry]:
        """At most `most` items in the order of their digests, of those that the version `beyond` does not hold."""
        import pyarrow.compute as compute

        table = self.table
        if beyond is not None:
            table = table.filter(compute.invert(compute.is_in(table["exact"], value_set=beyond.table["exact"])))
        return _entries(table.sort_by([("exact", "ascending"), ("id", "ascending")]).slice(0, most))

    def contents(self, entries: Collection[Entry]) -> Iterator[tuple[list[Entry], list[Any]]]:
        """The entries with their contents, at most `AT_ONCE` in memory at a time."""
        wanted = {entry.id: entry for entry in entries}
        pairs = ((wanted[key], payload) for key, payload in payloads_of(self.shards, wanted))
        while part := list(islice(pairs, AT_ONCE)):
            yield [entry for entry, _ in part], [self.modality.unpack(payload) for _, payload in part]


def _entries(table: pyarrow.Table) -> list[Entry]:
    return [Entry(row["exact"], row["id"], row["group"] or row["exact"], row["label"]) for row in table.to_pylist()]


def _joined(tables: list[pyarrow.Table]) -> pyarrow.Table:
    import pyarrow

    names = ("exact", "id", "label", "group")
    empty = pyarrow.table({name: pyarrow.array([], pyarrow.string()) for name in names})
    return pyarrow.concat_tables([empty, *(table.select(names).cast(empty.schema) for table in tables)])


@dataclass(frozen=True)
class Cut(Opened):
    """A version whose items are divided inside: what is compared are their pieces, cut as `format` says."""

    format: Any
    whole: bool = False

    @cached_property
    def pieces(self) -> dict[str, tuple[Entry, Any]]:
        """By their digests, in order; neighbours are of one group."""
        pieces = {}
        for entries, contents in super().contents(_entries(self.table)):
            for entry, content in zip(entries, contents, strict=True):
                for at, piece in enumerate(self.modality.pieces(content, self.format, self.whole)):
                    key, group = self.modality.fingerprint(piece).exact, f"{entry.label} {content.start} {at // NEIGHBOURS}"
                    pieces[key] = (Entry(key, entry.id, group, entry.label), piece)
        return dict(sorted(pieces.items()))

    @property
    def count(self) -> int:
        return len(self.pieces)

    def shared(self, other: Opened) -> int:
        assert isinstance(other, Cut)
        return len(self.pieces.keys() & other.pieces.keys())

    def entries(self, most: int, beyond: Opened | None = None) -> list[Entry]:
        held = beyond.pieces.keys() if isinstance(beyond, Cut) else ()
        return [entry for key, (entry, _) in self.pieces.items() if key not in held][:most]

    def contents(self, entries: Collection[Entry]) -> Iterator[tuple[list[Entry], list[Any]]]:
        yield list(entries), [self.pieces[entry.key][1] for entry in entries]
