"""The contract of a source (`tasks/ingest/source.py`) for files that are tables: what csv, jsonl, parquet and arrow share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.ingest.readers import rows, titles
from tasks.ingest.readers.cell import Row
from tasks.ingest.readers.held import Held
from tasks.ingest.source import RawItem, SourceSettings

Table = Callable[[SourceSettings, Held], tuple[Iterator[Row], list[str]]]


@dataclass(frozen=True)
class TableFile:
    """Files with one of these suffixes, whose rows and columns `table` gives; one item a row."""

    suffixes: tuple[str, ...]
    table: Table

    def accepts(self, location: str) -> bool:
        path = Path(location).expanduser()
        return path.suffix.lower() in self.suffixes and path.is_file()

    def fingerprint(self, source: SourceSettings) -> str:
        beside = titles.place(source)
        return f"{rows.digest(source.path)} {rows.digest(beside)}" if beside else rows.digest(source.path)

    def modality(self, source: SourceSettings) -> str:
        return rows.modality(*self.table(source, source.path), source)

    def read(self, source: SourceSettings, modality: str) -> Iterator[RawItem]:
        yield from rows.items(*self.table(source, source.path), source, modality)
