"""Raw content into append-only parquet shards: `data/NAME/raw/NNNNN-<digest>.parquet`."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aigc_models.errors import BadInput, unusable
from tasks.dataset.data_lock import writing
from tasks.dataset.ids import Ids
from tasks.dataset.tables import count_rows, shards
from tasks.ingest.ingested import remember_ingested, unchanged
from tasks.ingest.source import RawItem, SourceSettings, fingerprint, listing, modality, read, reading_code
from tasks.stage.references import RawRef
from tasks.stage.settings import scratch_folder
from tasks.stage.stage import StageContext, stage
from tasks.version.forgotten import Forgotten

if TYPE_CHECKING:
    import pyarrow

SHARD_BYTES = 64_000_000
SHARD_ROWS = 50_000
LARGEST = 80_000_000  # bytes of an item
COLUMNS = ("id", "payload", "name", "source", "label", "group", "split", "time", "prompt")


@stage(fingerprint=fingerprint)
def ingest(source: SourceSettings, context: StageContext) -> RawRef:
    """Append what is new at the source; what is already there stays, also when it vanished from the source.

    Raises `BadInput` where the source cannot be used or the data cannot be written; then nothing was changed.
    """
    kind = modality(source)
    with written(f"the data set {source.name} in {context.workspace.data}"):
        workspace = context.workspace.create()
        folder = workspace.data / source.name / "raw"
        known = _known_ids(folder, kind, source.name)
        gone = Forgotten.of(folder.parent)
        before, files, code = len(known), listing(source), reading_code(source)
        same = unchanged(workspace, source, code, files)
        with scratch_folder(workspace) as scratch:
            new = (item for item in map(_bounded, read(source, kind, same)) if _is_new(item, known, gone))
            new_shards = list(_write_shards(_checked(new, source), scratch, kind, context))
            if not new_shards and not before:
                raise BadInput(f"{source.location} holds no items")
            numbered = enumerate(new_shards, start=next_number(folder))
            with writing(workspace):  # all of them at once for who reads `data/` under the lock
                publish([(shard, folder / shard_name(number, shard)) for number, shard in numbered])
        remember_ingested(workspace, source, code, files)
        rows = sum(count_rows(shard) for shard in shards(folder))
        context.log(rows=rows, new_rows=rows - before, modality=kind)
        return RawRef.to(workspace, folder, dataset=source.name, modality=kind, rows=rows)


@contextmanager
def written(what: str) -> Iterator[None]:
    """Errors of the file system, in words and as `BadInput`."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        advice = {
            errno.ENOSPC: "the disk is full; free some space and run the same command again",
            errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
            errno.EACCES: "permission denied; change the permissions or choose another folder with AIGC_WORKSPACE",
            errno.EROFS: "the file system is read-only; choose another folder with AIGC_WORKSPACE",
        }.get(error.errno or 0, str(error.strerror or error))
        raise BadInput(f"cannot read or write {what}{where}: {advice}") from error


def publish(moves: Iterable[tuple[Path, Path]]) -> None:
    """Move complete files to where they belong; a folder that had to be made does not stay behind empty."""
    for start, target in moves:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(start, target)
        except OSError:
            with suppress(OSError):
                target.parent.rmdir()
                target.parent.parent.rmdir()
            raise


def storable(text: str | None) -> str | None:
    """`text` without lone surrogates (names and cells that are no UTF-8), which parquet refuses."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def write_table(table: pyarrow.Table, path: Path) -> None:
    """Parquet whose bytes depend on the table alone."""
    from pyarrow import parquet

    parquet.write_table(table, path, compression="zstd", compression_level=3, version="2.6", row_group_size=5000)


def _checked(items: Iterable[RawItem], source: SourceSettings) -> Iterator[RawItem]:
    """Pass items on; raise `BadInput` in the end if a way of labelling was named and labelled nothing."""
    labelled = count = 0
    for item in items:
        count += 1
        labelled += item.label is not None
        yield item
    if count and not labelled and source.labels.kind not in ("", "none"):
        raise BadInput(f"label {source.label} gives no item of {source.location} a label; look at the names, or leave it out")


def _write_shards(items: Iterable[RawItem], scratch: Path, kind: str, context: StageContext) -> Iterator[Path]:
    done = 0
    for at, rows in enumerate(_batches(items)):
        path = scratch / f"{at}.parquet"
        write_table(_table(rows, kind), path)
        done += len(rows)
        context.progress(done, done)
        yield path


def _bounded(item: RawItem) -> RawItem:
    """Without its content where that would take more memory than an item may: about ten times as much until it is clean."""
    size = len(item.payload)
    if size <= LARGEST:
        return item
    return replace(
        item,
        payload=b"",
        name=unusable(item.name, f"has {size / 1e6:,.0f} MB; the limit of one item is {LARGEST / 1e6:,.0f} MB"),
    )


def _is_new(item: RawItem, known: Ids, gone: Forgotten) -> bool:
    """Whether an item is neither known nor forgotten; from now on it is known."""
    return not gone.covers(item) and known.add(item.id)


def _batches(items: Iterable[RawItem]) -> Iterator[list[RawItem]]:
    batch: list[RawItem] = []
    size = 0
    for item in items:
        if batch and (len(batch) == SHARD_ROWS or size + len(item.payload) > SHARD_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item.payload)
    if batch:
        yield batch


def _table(items: list[RawItem], kind: str) -> pyarrow.Table:
    import pyarrow

    types = {column: pyarrow.binary() if column == "payload" else pyarrow.string() for column in COLUMNS}
    columns = {name: [getattr(item, name) for item in items] for name in COLUMNS}
    texts = {name: list(map(storable, values)) for name, values in columns.items() if name != "payload" and any(values)}
    arrays = [pyarrow.array({**columns, **texts}[name], types[name]) for name in COLUMNS]
    return pyarrow.table(arrays, schema=pyarrow.schema(list(types.items()), metadata={"modality": kind}))


def _known_ids(folder: Path, kind: str, name: str) -> Ids:
    from pyarrow import parquet

    known = Ids()
    for shard in shards(folder):
        table = parquet.read_table(shard, columns=["id"])
        held = (table.schema.metadata or {}).get(b"modality", kind.encode()).decode()
        if held != kind:
            raise BadInput(f"the data set {name} holds the modality {held}, the source {kind}; give it another name")
        known.sort_in(table["id"].to_pylist())
    return known


def next_number(folder: Path) -> int:
    """Of the next shard: one more than the last one's, since some in between may have been forgotten."""
    return max((int(shard.name.split("-")[0]) + 1 for shard in shards(folder)), default=0)


def shard_name(number: int, shard: Path) -> str:
    """How a shard is called in `data/NAME/raw`, by its place and its content."""
    with shard.open("rb") as handle:
        return f"{number:05}-{hashlib.file_digest(handle, 'sha256').hexdigest()[:12]}.parquet"
