"""A csv or tsv file with a header; one item a row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from tasks import rows
from tasks.source import RawItem, SourceSettings

_FIELD_LIMIT = 1 << 30  # bytes of a cell


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    return path.suffix.lower() in (".csv", ".tsv") and path.is_file()


def fingerprint(source: SourceSettings) -> str:
    return rows.digest(source.path)


def modality(source: SourceSettings) -> str:
    return rows.modality(_rows(source.path), _columns(source.path), source)


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    yield from rows.items(_rows(source.path), _columns(source.path), source, modality)


def _delimiter(path: Path) -> str:
    """The one that the header has most of."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as handle:
        header = handle.readline()
    return max(",\t;|", key=header.count)


def _rows(path: Path) -> Iterator[rows.Row]:
    """Bytes that are no UTF-8 are carried as surrogates, so that cleaning sees the very bytes."""
    csv.field_size_limit(_FIELD_LIMIT)
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
        yield from csv.DictReader(handle, delimiter=_delimiter(path))


def _columns(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
        return next(csv.reader(handle, delimiter=_delimiter(path)), [])
