"""Raw content into append-only parquet shards: `data/NAME/raw/NNNNN-<digest>.parquet`.

A row leaves its shard only where an item is forgotten or its label was corrected; earlier versions keep it. What the
source no longer holds is put on a list beside the shards (`tasks.dataset.withdrawn`).
"""

from __future__ import annotations

import errno
import hashlib
import os
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aigc_models.errors import BadInput, unusable
from tasks.dataset.data_lock import writing
from tasks.dataset.forgotten import FILE, Forgotten, note_left_out
from tasks.dataset.tables import CONTINUES, count_rows, shards
from tasks.dataset.withdrawn import count_current
from tasks.dataset.withdrawn import keep as keep_list
from tasks.ingest.arrivals import Arrivals, alike, label_marks, moved
from tasks.ingest.departures import Departures, Reading, departures, keeps
from tasks.ingest.ingested import last_files, remember_ingested, unchanged
from tasks.ingest.readers.notices import say
from tasks.ingest.source import RawItem, SourceSettings, fingerprint, listing, modality, read, reading_code
from tasks.stage.references import RawRef
from tasks.stage.settings import Workspace, scratch_folder
from tasks.stage.stage import StageContext, stage

if TYPE_CHECKING:
    import pyarrow

SHOWN = 5  # groups of labels that a message lists
SHARD_BYTES = 64_000_000
SHARD_ROWS = 50_000
LARGEST = 80_000_000  # bytes of an item
COLUMNS = ("id", "payload", "name", "source", "label", "group", "split", "time", "prompt")


def state(source: SourceSettings) -> str:
    """Changes when the content at the source does, or what must not come in from there."""
    file = Workspace.current().data / source.name / FILE
    return fingerprint(source) + (f"-{hashlib.sha256(file.read_bytes()).hexdigest()}" if file.is_file() else "")


@stage(fingerprint=state, retries=2)
def ingest(source: SourceSettings, context: StageContext) -> RawRef:
    """Append what is new at the source, and withdraw what it no longer holds, unless that is kept (`keeps`).

    Where an item that is there has another label now, or kept content moved to a place with another label, the newest
    row takes its place. Raises `BadInput` where the source cannot be used or the data cannot be written; then nothing
    was changed.
    """
    kind = modality(source)
    with file_errors(f"the data set {source.name} in {context.workspace.data}"):
        workspace = context.workspace.create()
        folder = workspace.data / source.name / "raw"
        arrivals = Arrivals(source, label_marks(folder, kind, source.name), Forgotten.of(folder.parent))
        before, files, code = len(arrivals.labels), listing(source), reading_code(source)
        same, last = unchanged(workspace, source, code, files), last_files(workspace, source)
        with scratch_folder(workspace) as scratch:
            new = filter(arrivals.takes, _checked(map(_bounded, read(source, kind, same)), source))
            new_shards, keep = list(_write_shards(new, scratch, kind, context)), keeps(source)
            change = departures(workspace, source, Reading(arrivals.seen, same, arrivals.unread, last), keep)
            _check_held(change, arrivals, source, before)
            gone = (last - files.keys()) | (files.keys() - same if last else set())
            replaced = arrivals.corrected | (moved(folder, new_shards, gone, arrivals.seen) if keep else set())
            new_rows = sum(map(count_rows, new_shards))
            change.note(workspace, source)
            with writing(workspace):
                _replace(folder, new_shards, replaced, scratch)
                keep_list(folder, change.withdrawn, scratch)
        states = {name: state for name, state in files.items() if name not in arrivals.unread}
        remember_ingested(workspace, source, code, states)
        _say_changes(change, arrivals, source)
        if arrivals.count:
            note_left_out(workspace, source.name, arrivals.left_out)
        rows = count_current(folder)
        context.log(rows=rows, new_rows=new_rows, corrected=len(replaced), withdrawn=change.left, modality=kind)
        return RawRef.to(workspace, folder, dataset=source.name, modality=kind, rows=rows)


def _replace(folder: Path, new_shards: list[Path], replaced: Collection[str], scratch: Path) -> None:
    """Put the new shards behind the others, which lose the `replaced` items."""
    numbered = list(enumerate(new_shards, start=next_number(folder)))
    for shard in shards(folder) if replaced else ():  # first: what is missing after a kill arrives again
        rewrite(shard, replaced, scratch)
    publish([(shard, folder / shard_name(number, shard)) for number, shard in numbered])


def _check_held(change: Departures, arrivals: Arrivals, source: SourceSettings, before: int) -> None:
    """Raise `BadInput` where a source has nothing at all: that is rather a fault of it than the end of all items."""
    if change.held or arrivals.count or (before and keeps(source)):
        return
    stays = f"; {source.name} stays as it was" if before else ""
    raise BadInput(f"{source.location} holds no items{stays}")


def _say_changes(change: Departures, arrivals: Arrivals, source: SourceSettings) -> None:
    if change.left:
        say(
            f"{source.name}: {change.left:,} items of the last time are gone from {source.location} or were changed there, and "
            "no longer count (earlier versions have them; --keep is for sources whose old content is removed, such as logs)"
        )
    if change.unnoted and not keeps(source):
        say(
            f"{source.name}: this workspace has not read its source before, so nothing was taken out; what is no longer in "
            f"{source.location} stays until `aigc data forget {source.name} --source ...` removes it"
        )
    if groups := alike(arrivals.names):
        say(f"{source.name}: labels that differ by case or white space alone are different ones: {_listed(groups)}")
    if arrivals.count:
        way = f"`aigc data allow {source.name}` and the same add again let them in"
        say(f"{source.name}: {arrivals.count} items arrived that were forgotten, and were left out; {way}")


def _listed(groups: list[list[str]]) -> str:
    shown = "; ".join(", ".join(map(repr, group)) for group in groups[:SHOWN])
    return shown + (f" and {len(groups) - SHOWN:,} more" if len(groups) > SHOWN else "")


@contextmanager
def file_errors(what: str) -> Iterator[None]:
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
        write_table(_table(rows, kind, goes_on=at > 0), path)
        done += len(rows)
        context.progress(done, done)
        yield path


def _bounded(item: RawItem) -> RawItem:
    """Without its content where that would take more memory than an item may: about ten times as much until it is clean.

    Its label in one form of Unicode (NFC), since file systems and programs write the same name in several.
    """
    if item.label is not None and not unicodedata.is_normalized("NFC", item.label):
        item = replace(item, label=unicodedata.normalize("NFC", item.label))
    size = len(item.payload)
    if size <= LARGEST:
        return item
    return replace(
        item,
        payload=b"",
        name=unusable(item.name, f"has {size / 1e6:,.0f} MB; the limit of one item is {LARGEST / 1e6:,.0f} MB"),
    )


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


def _table(items: list[RawItem], kind: str, goes_on: bool) -> pyarrow.Table:
    import pyarrow

    types = {column: pyarrow.binary() if column == "payload" else pyarrow.string() for column in COLUMNS}
    columns = {name: [getattr(item, name) for item in items] for name in COLUMNS}
    texts = {name: list(map(storable, values)) for name, values in columns.items() if name != "payload" and any(values)}
    arrays = [pyarrow.array({**columns, **texts}[name], types[name]) for name in COLUMNS]
    metadata = {"modality": kind} | ({CONTINUES: "yes"} if goes_on else {})
    return pyarrow.table(arrays, schema=pyarrow.schema(list(types.items()), metadata=metadata))


def rewrite(shard: Path, ids: Collection[str], scratch: Path) -> None:
    """A raw shard without these items, under its number, in its place; none where nothing is left, itself where it has none."""
    import pyarrow
    import pyarrow.compute as compute
    from pyarrow import parquet

    held = parquet.read_table(shard, columns=["id"])["id"]
    left = compute.invert(compute.is_in(held, value_set=pyarrow.array(sorted(ids), pyarrow.string())))
    if compute.all(left).as_py():
        return
    if compute.any(left).as_py():
        part = scratch / "shard"
        write_table(parquet.read_table(shard).filter(left), part)
        os.replace(part, shard.with_name(shard_name(int(shard.name.split("-")[0]), part)))
    shard.unlink()


def next_number(folder: Path) -> int:
    """Of the next shard: one more than the last one's, since some in between may have been forgotten."""
    return max((int(shard.name.split("-")[0]) + 1 for shard in shards(folder)), default=0)


def shard_name(number: int, shard: Path) -> str:
    """How a shard is called in `data/NAME/raw`, by its place and its content."""
    with shard.open("rb") as handle:
        return f"{number:05}-{hashlib.file_digest(handle, 'sha256').hexdigest()[:12]}.parquet"
