"""The parquet files under `data/NAME`: the same rows give the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow

REJECTED = ".rejected.parquet"
QUARANTINE = dict.fromkeys(("id", "source", "label", "stage", "rule", "reason"), "string")
CONTINUES = b"continues"  # key of the metadata of a raw shard that one command wrote after another
CONTENTS = 1000  # that are in memory at a time
VALUES = 10_000  # of another column that are


def shards(folder: Path, rejected: bool = False) -> list[Path]:
    """The shards in `data/NAME/clean`, in the order in which they were added; or the tables of what was rejected."""
    return sorted(path for path in folder.glob("*.parquet") if path.name.endswith(REJECTED) == rejected)


def is_clean_shard(name: str) -> bool:
    """Whether a file of a version, by its name below `data/NAME`, has clean items."""
    return name.startswith("clean/") and name.endswith(".parquet") and not name.endswith(REJECTED)


def read(paths: list[Path], columns: list[str]) -> dict[str, list[Any]]:
    """Some columns of several tables as one, in order."""
    import pyarrow.parquet as parquet

    tables = [parquet.read_table(path, columns=columns) for path in paths]
    return {name: [value for table in tables for value in table[name].to_pylist()] for name in columns}


def write(path: Path, types: dict[str, str], columns: dict[str, list[Any]]) -> Path:
    """Write `columns`; `types` names each one's Arrow type ("string", "bool", "int32", "list<string>").

    Writes to `path` itself: give a path that nobody reads yet.
    """
    with Writer(path, types) as table:
        table.add(columns)
    return path


def schema(types: dict[str, str]) -> pyarrow.Schema:
    """The Arrow schema of named types."""
    import pyarrow

    kinds = {"string": pyarrow.string(), "bool": pyarrow.bool_(), "int32": pyarrow.int32()}
    kinds["list<string>"] = pyarrow.list_(pyarrow.string())
    return pyarrow.schema([(name, kinds[kind]) for name, kind in types.items()])


class Writer:
    """A table that is written in parts: the same parts give the same bytes. Types as in `write`.

    With `rows`, parts wait until there are that many rows, so that what is written does not depend on how they came.
    """

    def __init__(self, path: Path, types: dict[str, str], rows: int = 0) -> None:
        import pyarrow.parquet as parquet

        self.schema, self.rows, self.row_count = schema(types), rows, 0
        self.waiting: dict[str, list[Any]] = {name: [] for name in types}
        self.file = parquet.ParquetWriter(path, self.schema, compression="zstd")

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *failure: object) -> None:
        if self.rows and failure[0] is None and (self.waiting[self.schema.names[0]] or not self.row_count):
            self._write(self.waiting)
        self.file.close()

    def add(self, columns: dict[str, list[Any]]) -> None:
        """The next rows: a list of values for each column."""
        if not self.rows:
            self._write(columns)
            return
        for name, values in self.waiting.items():
            values += columns[name]
        while len(self.waiting[self.schema.names[0]]) >= self.rows:
            self._write({name: values[: self.rows] for name, values in self.waiting.items()})
            self.waiting = {name: values[self.rows :] for name, values in self.waiting.items()}

    def _write(self, columns: dict[str, list[Any]]) -> None:
        import pyarrow

        self.file.write_table(pyarrow.table(columns, schema=self.schema))
        self.row_count += len(columns[self.schema.names[0]])


def batches(paths: list[Path], columns: list[str], rows: int) -> Iterator[dict[str, list[Any]]]:
    """Some columns of several tables in order, at most `rows` rows at a time."""
    import pyarrow.parquet as parquet

    for path in paths:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(rows, columns=columns):
                yield {name: batch[name].to_pylist() for name in columns}


def count_rows(path: Path) -> int:
    """How many rows a table has; only its footer is read."""
    import pyarrow.parquet as parquet

    return int(parquet.read_metadata(path).num_rows)


def continues(raw: Path) -> bool:
    """Whether a shard in `data/NAME/raw` goes on with what the one before it began, as both were added at once."""
    import pyarrow.parquet as parquet

    return raw.is_file() and CONTINUES in (parquet.read_schema(raw).metadata or {})


def columns_of(path: Path) -> list[str]:
    """The names of a table's columns; only its footer is read."""
    import pyarrow.parquet as parquet

    return list(parquet.read_schema(path).names)


def payloads(folder: Path, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Id and packed content of the `wanted` clean items in shard order, `CONTENTS` of them in memory at a time."""
    yield from payloads_of(shards(folder), wanted)


def payloads_of(paths: list[Path], wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """The same of shards wherever they lie."""
    for rows in batches(paths, ["id", "content"], CONTENTS):
        yield from ((key, content) for key, content in zip(rows["id"], rows["content"], strict=True) if key in wanted)


def numbered(folder: Path, kept: np.ndarray, column: str) -> Iterator[list[tuple[int, Any]]]:
    """A column of the clean items with the numbers `kept` (ascending), each with its place among them, in parts."""
    import numpy as np

    start = 0
    for part in batches(shards(folder), [column], CONTENTS if column == "content" else VALUES):
        values = part[column]
        low, high = np.searchsorted(kept, np.array([start, start + len(values)], dtype=kept.dtype))  # else kept is copied
        yield [(at, values[kept[at] - start]) for at in range(int(low), int(high))]
        start += len(values)
