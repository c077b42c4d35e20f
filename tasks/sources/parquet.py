"""A parquet file; one item a row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aigc_models.errors import BadInput
from tasks import rows
from tasks.source import RawItem, SourceSettings


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    return path.suffix.lower() in (".parquet", ".pq") and path.is_file()


def fingerprint(source: SourceSettings) -> str:
    return rows.digest(source.path)


def modality(source: SourceSettings) -> str:
    return rows.modality(_rows(source.path), _columns(source.path), source)


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    yield from rows.items(_rows(source.path), _columns(source.path), source, modality)


def _file(path: Path) -> Any:
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(path)
    except pyarrow.ArrowInvalid as error:
        raise BadInput(f"{path.name} is not a parquet file, or a damaged one: {error}") from error


def _rows(path: Path) -> Iterator[rows.Row]:
    with _file(path) as file:
        for batch in file.iter_batches(batch_size=1000):
            yield from batch.to_pylist()


def _columns(path: Path) -> list[str]:
    with _file(path) as file:
        return list(file.schema_arrow.names)
