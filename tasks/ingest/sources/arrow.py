"""An Arrow file or stream (.arrow, .feather); one item a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.ingest.readers import batches, rows
from tasks.ingest.readers.held import Held
from tasks.ingest.readers.table_file import TableFile
from tasks.ingest.source import SourceSettings

TABLES = (".arrow", ".feather", ".ipc", ".arrows")
KIND = "an Arrow file or stream"
MAGIC = b"ARROW1"  # of a file; a stream has none


def table(source: SourceSettings, file: Held) -> tuple[Iterator[rows.Row], list[str]]:
    """The rows and the columns of a file."""
    return _rows(file), batches.columns(schema(file))


_FILE = TableFile(TABLES, table)
accepts, fingerprint, modality, read = _FILE.accepts, _FILE.fingerprint, _FILE.modality, _FILE.read


@contextmanager
def _reader(path: Held) -> Iterator[Any]:
    """The file is mapped into memory, not read as a whole."""
    import pyarrow

    opened = pyarrow.memory_map(str(path)) if isinstance(path, Path) else pyarrow.BufferReader(path.read_bytes())
    with batches.reading(path.name, KIND), opened as file:
        whole = file.read(len(MAGIC)) == MAGIC
        file.seek(0)
        with pyarrow.ipc.open_file(file) if whole else pyarrow.ipc.open_stream(file) as reader:
            yield reader


def _rows(path: Held) -> Iterator[rows.Row]:
    with _reader(path) as reader:
        parts = (reader.get_batch(at) for at in range(reader.num_record_batches)) if _is_file(reader) else reader
        yield from batches.rows(parts)


def _is_file(reader: Any) -> bool:
    return hasattr(reader, "num_record_batches")


def schema(path: Held) -> Any:
    """Arrow's schema of a file."""
    with _reader(path) as reader:
        return reader.schema
