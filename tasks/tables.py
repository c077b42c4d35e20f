"""The parquet files under `data/NAME`: the same rows give the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

REJECTED = ".rejected.parquet"


def shards(folder: Path, rejected: bool = False) -> list[Path]:
    """The shards in `data/NAME/clean`, in the order in which they were added; or the tables of what was rejected."""
    return sorted(path for path in folder.glob("*.parquet") if path.name.endswith(REJECTED) == rejected)


def read(paths: list[Path], columns: list[str]) -> dict[str, list[Any]]:
    """Some columns of several tables as one, in order."""
    import pyarrow.parquet as parquet

    tables = [parquet.read_table(path, columns=columns) for path in paths]
    return {name: [value for table in tables for value in table[name].to_pylist()] for name in columns}


def write(path: Path, types: dict[str, str], columns: dict[str, list[Any]]) -> Path:
    """Write `columns`; `types` names each one's Arrow type ("string", "bool", "list<string>").

    Writes to `path` itself: give a path that nobody reads yet.
    """
    import pyarrow
    import pyarrow.parquet as parquet

    kinds = {"string": pyarrow.string(), "bool": pyarrow.bool_(), "list<string>": pyarrow.list_(pyarrow.string())}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in types.items()])
    parquet.write_table(pyarrow.table(columns, schema=schema), path, compression="zstd")
    return path


def payloads(folder: Path, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Id and packed content of the `wanted` clean items in shard order, one shard in memory at a time."""
    for shard in shards(folder):
        rows = read([shard], ["id", "content"])
        yield from ((key, content) for key, content in zip(rows["id"], rows["content"], strict=True) if key in wanted)
