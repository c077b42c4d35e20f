"""A parquet file; one item a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.readers import batches, rows
from tasks.source import RawItem, SourceSettings

TABLES = (".parquet", ".pq")


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    return path.suffix.lower() in TABLES and path.is_file()


def fingerprint(source: SourceSettings) -> str:
    return rows.digest(source.path)


def modality(source: SourceSettings) -> str:
    return rows.modality(_rows(source.path), _columns(source.path), source)


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    yield from rows.items(_rows(source.path), _columns(source.path), source, modality)


@contextmanager
def _file(path: Path) -> Iterator[Any]:
    from pyarrow import parquet

    with batches.reading(path.name, "a parquet file"), parquet.ParquetFile(path) as file:
        yield file


def _rows(path: Path) -> Iterator[rows.Row]:
    with _file(path) as file:
        yield from batches.rows(file.iter_batches(batch_size=batches.ROWS))


def _columns(path: Path) -> list[str]:
    with _file(path) as file:
        return list(file.schema_arrow.names)
