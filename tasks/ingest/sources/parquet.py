"""A parquet file; one item a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aigc_models.errors import BadInput
from tasks.ingest.readers import batches, packed, rows
from tasks.ingest.readers.held import Held, native
from tasks.ingest.readers.table_file import TableFile
from tasks.ingest.source import SourceSettings

if TYPE_CHECKING:
    from pyarrow import Schema
    from pyarrow.parquet import FileMetaData

RATIO = 200  # times its packed bytes that a column may unpack to
TABLES = (".parquet", ".pq")


def table(source: SourceSettings, file: Held) -> tuple[Iterator[rows.Row], list[str]]:
    """The rows and the columns of a file."""
    return _rows(file), batches.columns(schema(file))


_FILE = TableFile(TABLES, table)
accepts, fingerprint, modality, read = _FILE.accepts, _FILE.fingerprint, _FILE.modality, _FILE.read


@contextmanager
def _file(path: Held) -> Iterator[Any]:
    from pyarrow import parquet

    with batches.reading(path.name, "a parquet file"):
        with parquet.ParquetFile(native(path)) as file:
            _check(file.metadata, path.name)
            texts = _texts(file.schema_arrow)
        # A value that comes a million times is small in the file; as a dictionary it is in memory, too.
        with parquet.ParquetFile(native(path), read_dictionary=texts) as file:
            yield file


def _check(metadata: FileMetaData, file: str) -> None:
    """Raise `BadInput` for a decompression bomb: a page of a column is in memory as a whole."""
    for group in range(metadata.num_row_groups):
        for at in range(metadata.num_columns):
            column = metadata.row_group(group).column(at)
            size = column.total_uncompressed_size
            if size > max(packed.FLOOR, RATIO * column.total_compressed_size):
                raise BadInput(
                    f"{file}: the column {column.path_in_schema} unpacks to {size / 1e6:,.0f} MB, more than {RATIO} times "
                    "its packed bytes, as a decompression bomb does; write the file with smaller row groups"
                )


def _texts(schema: Schema) -> list[str]:
    """The columns of text and of bytes."""
    from pyarrow import types

    tests = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    return [field.name for field in schema if any(test(field.type) for test in tests)]


def _rows(path: Held) -> Iterator[rows.Row]:
    with _file(path) as file:
        yield from batches.rows(file.iter_batches(batch_size=_at_once(file.metadata)))


def _at_once(metadata: FileMetaData) -> int:
    """Rows of which as many bytes are read at once as `batches` turns into values."""
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    largest = max((group.total_byte_size / max(1, group.num_rows) for group in groups), default=0.0)
    return max(1, min(batches.ROWS, int(batches.BYTES / max(1.0, largest))))


def schema(path: Held) -> Any:
    """Arrow's schema of a file."""
    with _file(path) as file:
        return file.schema_arrow
