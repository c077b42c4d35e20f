"""A single file that is packed (`.csv.gz`, `.txt.gz`, `.jsonl.bz2`, `.tsv.xz`), read in memory as what is in it.

aigc data add rates exchange_rate.txt.gz
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from aigc_models.find import names
from tasks.ingest.readers import files, packed, rows, tables
from tasks.ingest.readers.held import InMemory
from tasks.ingest.source import RawItem, SourceSettings, options
from tasks.ingest.sources import delimited

LAST = True  # pictures in idx.gz and archives have readers of their own
OPENERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}
LARGEST = 1_000_000_000  # bytes that come out
CHUNK = 1 << 20


class Options(BaseModel):
    """How much the file may unpack to. Further options are those of what is in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ratio: int = Field(200, ge=1, description="times its own size that the file may unpack to; 100 MB are always allowed")


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    return path.suffix.lower() in OPENERS and path.is_file()


def fingerprint(source: SourceSettings) -> str:
    return rows.digest(source.path)


def modality(source: SourceSettings) -> str:
    """What the rows of a table are, or what the file is by its name and first bytes."""
    file = _held(source)
    if _is_table(file):
        return rows.modality(*_table(source, file), _inside(source, file))
    kind = files.kind(file.name, lambda: file.payload[: files.HEAD])
    if kind not in names("aigc_models.modalities"):
        raise BadInput(f"{source.location} holds {file.name} ({kind}), which cannot be read; unpack it, or name another file")
    return kind


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """Its rows, or its items as those of the same file unpacked."""
    file = _held(source)
    if _is_table(file) and not (modality == "text" and file.name.lower().endswith(delimited.TEXT)):
        yield from rows.items(*_table(source, file), _inside(source, file), modality)
        return
    files.check(source, modality)
    item = RawItem(file.payload, file.name, file.name, source.labels.of_name(file.name))
    yield from files.inside(item, source, modality, 1)


def _is_table(file: InMemory) -> bool:
    suffix = Path(file.name).suffix.lower()
    return suffix in files.tables() or (suffix in ("", delimited.TEXT) and delimited.is_table(file))


def _table(source: SourceSettings, file: InMemory) -> tuple[Iterator[rows.Row], list[str]]:
    inner = tables.without(source, Options)
    by_name = Path(file.name).suffix.lower() in files.tables()
    return tables.table(inner, file) if by_name else delimited.table(inner, file)


def _inside(source: SourceSettings, file: InMemory) -> SourceSettings:
    """The source as the file in it."""
    return source.model_copy(update={"location": str(source.path.with_name(file.name)), "options": {}})


def _held(source: SourceSettings) -> InMemory:
    stat, ratio = source.path.stat(), options(source, Options).ratio
    return InMemory(source.path.stem, _unpacked(source.path.absolute(), (stat.st_ino, stat.st_size, stat.st_mtime_ns), ratio))


@lru_cache(maxsize=1)
def _unpacked(path: Path, state: tuple[int, ...], ratio: int) -> bytes:
    """What comes out of a file; `state` changes when it does. Raises `BadInput` where it is damaged, or a bomb."""
    budget, parts = packed.Budget(path, LARGEST, ratio), []
    try:
        with OPENERS[path.suffix.lower()](path) as handle:
            while chunk := handle.read(CHUNK):
                budget.take(len(chunk))
                parts.append(chunk)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise BadInput(f"{path.name} is damaged or not packed as its name says: {packed.words(error)}") from error
    return b"".join(parts)
