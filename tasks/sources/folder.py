"""A folder of pictures, of sounds or of text files, or a single one of these, or the files that a pattern fits.

aigc data add letters 'scans/**/*.png'
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from aigc_models.errors import BadInput
from aigc_models.find import find
from aigc_models.modality import divided_inside
from tasks.readers import files, timelines
from tasks.readers.digests import digests
from tasks.source import MAGIC, RawItem, SourceSettings, plugin

LAST = True  # takes every file that no other plug-in does


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    return path.is_dir() or path.is_file() or ("://" not in location and MAGIC.search(location) is not None)


def fingerprint(source: SourceSettings) -> str:
    whole = hashlib.sha256()
    found = content_files(source)
    for file, digest in zip(found, digests(found), strict=True):
        line = f"{_relative(file, source)}\0{file.stat().st_size}\0{digest}\n"
        whole.update(line.encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def modality(source: SourceSettings) -> str:
    """The one modality of all files; raises `BadInput` with what was found where there are several kinds."""
    kinds = Counter(_kind(file) for file in content_files(source))
    return files.one_modality(kinds, source.location) or _of_tables(source, files.listed(kinds))


def _of_tables(source: SourceSettings, found: str) -> str:
    """What the first of the tables is, if all of a table can be one item."""
    first = source.model_copy(update={"location": str(content_files(source)[0])})
    refusal = BadInput(f"{source.location} holds tables ({found}); name one of the files itself")
    try:
        kind = str(plugin(first).modality(first))
    except BadInput as error:
        raise refusal from error
    if not divided_inside(find("aigc_models.modalities", kind)):
        raise refusal
    return kind


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """Files in the order of their names; with `--modality` given, files of other kinds are left out."""
    return read_new(source, modality, ())


def read_new(source: SourceSettings, modality: str, unchanged: Collection[str]) -> Iterator[RawItem]:
    """The same without the files that are `unchanged`: these are not opened. Tables of series are always read."""
    if divided_inside(find("aigc_models.modalities", modality)):
        tables = [file for file in content_files(source) if file.suffix.lower() in files.tables()]
        yield from timelines.of_folder(tables, source, modality)
        return
    files.check(source, modality)
    chosen = [file for file in content_files(source) if _kind(file) == modality or source.path.is_file()]
    if not chosen:
        raise BadInput(f"{source.location} holds no file of the modality {modality}")
    labels = files.labels([_relative(file, source) for file in chosen], source, modality)
    for file in chosen:
        name = _relative(file, source)
        if name in unchanged:
            continue
        label = labels.get(files.parent(name)) or source.labels.of_name(file.name)
        item = RawItem(*_payload(file), name, label, split=files.split(name, source))
        yield from files.documents(item, source, len(chosen) == 1) if modality == "text" else (item,)


def _payload(file: Path) -> tuple[bytes, str]:
    """The bytes and the name of a file; of one that is too large for memory there are none, and the name says why."""
    problem = files.too_large(file.stat().st_size)
    return (b"", f"{file.name}: {problem}") if problem else (file.read_bytes(), file.name)


def content_files(source: SourceSettings) -> list[Path]:
    """All files but hidden ones and, where anything else is there, notes on the content."""
    if source.path.is_file():
        return [source.path]
    root = source.root
    if source.pattern and not root.is_dir():
        raise BadInput(f"{source.location}: there is no folder {root}")
    if not os.access(root, os.R_OK | os.X_OK):
        raise BadInput(f"{root} may not be read; change its permissions")
    below = (path for path in root.glob(source.pattern or "**/*") if path.is_file())
    found = files.content(path.relative_to(root).as_posix() for path in below)
    if not found and source.pattern:
        raise BadInput(f"no file in {root} fits the pattern {source.pattern}")
    if not found:
        raise BadInput(f"{source.location} is an empty folder; put pictures, sounds or text files into it")
    return [root / name for name in found]


def _relative(file: Path, source: SourceSettings) -> str:
    return file.relative_to(source.root).as_posix()


def _kind(file: Path) -> str:
    return files.kind(file.name, lambda: _head(file))


def _head(file: Path) -> bytes:
    with file.open("rb") as handle:
        return handle.read(files.HEAD)
