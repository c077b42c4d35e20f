"""Raw shards, cleaned a part at a time: here where there are few rows, by interpreters on all cores where there are many.

Either way the rows come in the same order and give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from signal import SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, Signals
from typing import TYPE_CHECKING, Any

from aigc_models.errors import AigcError
from tasks.ingest.ingest import count_rows
from tasks.stage.execution import Stopped
from tasks.stage.workers import Crashed, Workers, cores, in_order

if TYPE_CHECKING:
    import pyarrow

CLEAN = ("id", "content", "label", "group", "split", "time", "source", "exact", "near", "changed", "noticed")
REJECTED = ("id", "source", "label", "rule", "reason")
PART_ROWS, PART_BYTES = 256, 4_000_000  # at most, that are cleaned at a time
MANY_ROWS, MANY_BYTES = 2_000, 20_000_000  # from which on starting interpreters for all cores, a second each, is worth it
MOST = 8  # interpreters, of 0.15 GB each
CRASHES = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}

Tables = list["pyarrow.Table"]  # what was kept and what was rejected


@contextmanager
def cleaned_shards(
    todo: list[Path], cleaner: Callable[..., Callable[[pyarrow.Table], Tables]], arguments: list[Any], stop: Callable[[], bool]
) -> Iterator[Iterator[tuple[Path, Tables]]]:
    """Each shard with its kept and rejected rows, by what `cleaner` makes of `arguments` (JSON); or `Stopped`."""
    count = min(cores(), MOST)
    many = sum(map(count_rows, todo)) >= MANY_ROWS or sum(shard.stat().st_size for shard in todo) >= MANY_BYTES
    if count < 2 or not many:
        yield _joined(map(cleaner(*arguments), _parts(todo, stop)), todo)
        return
    with (
        Workers(f"{cleaner.__module__}:{cleaner.__name__}", arguments, count) as workers,
        closing(in_order(lambda part: _survived(part, workers), _parts(todo, stop), count)) as made,
    ):
        yield _joined(made, todo)


def table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pyarrow.Table:
    """`CLEAN` or `REJECTED` columns of rows."""
    import pyarrow

    kinds = dict.fromkeys(("content", "near"), pyarrow.binary())
    kinds |= dict.fromkeys(("changed", "noticed"), pyarrow.list_(pyarrow.string()))
    arrays = [pyarrow.array([row[name] for row in rows], kinds.get(name, pyarrow.string())) for name in columns]
    return pyarrow.table(arrays, names=list(columns))


def _parts(todo: Iterable[Path], stop: Callable[[], bool] = lambda: False) -> Iterator[pyarrow.Table]:
    """Raw rows in order, some at a time; none span two shards."""
    import pyarrow
    from pyarrow import parquet

    for shard in todo:
        with parquet.ParquetFile(shard) as file:
            for batch in file.iter_batches(batch_size=PART_ROWS):
                step = max(1, len(batch) * PART_BYTES // max(PART_BYTES, batch.nbytes))
                for start in range(0, len(batch), step):
                    if stop():
                        raise Stopped("stopped; the same command goes on from here")
                    yield pyarrow.Table.from_batches([batch.slice(start, step)])


def _joined(made: Iterator[Tables], todo: list[Path]) -> Iterator[tuple[Path, Tables]]:
    """The results of parts, those of a shard together."""
    import pyarrow

    for shard in todo:
        left, parts = count_rows(shard), [[table([], CLEAN), table([], REJECTED)]]
        while left > 0:
            parts.append(next(made))
            left -= sum(rows.num_rows for rows in parts[-1])
        yield shard, [pyarrow.concat_tables(tables).combine_chunks() for tables in zip(*parts, strict=True)]


def _survived(part: pyarrow.Table, workers: Workers) -> Tables:
    """Kept and rejected rows; an item that makes its reader crash is one that cannot be used."""
    import pyarrow

    try:
        return workers(part)
    except Crashed as crash:
        if part.num_rows > 1:
            middle = part.num_rows // 2
            halves = [_survived(half, workers) for half in (part.slice(0, middle), part.slice(middle))]
            return [pyarrow.concat_tables(tables) for tables in zip(*halves, strict=True)]
        (row,) = part.select(["id", "source", "label"]).to_pylist()
        if crash.signal not in CRASHES:
            raise AigcError(f"cleaning {row['source']} failed: {crash}; out of memory?") from crash
        reason = f"its reader crashed ({Signals(crash.signal).name})"
        return [table([], CLEAN), table([{**row, "rule": "unreadable", "reason": reason}], REJECTED)]
