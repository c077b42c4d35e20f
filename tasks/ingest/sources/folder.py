"""A folder of pictures, of sounds or of text files, or a single one of these, or the files that a pattern fits.

aigc data add letters 'scans/**/*.png'
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput, unusable
from aigc_models.find import find
from aigc_models.modality import divided_inside
from tasks.ingest.readers import files, histories, linked, notices, omitted, table_folder, timelines
from tasks.ingest.readers.digests import digests
from tasks.ingest.source import MAGIC, RawItem, SourceSettings, options, plugin
from tasks.stage.links import below, is_file


class Options(BaseModel):
    """How files become items; all others are those of the tables in it, if these are what it holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    items: Literal["files", "lines", "functions", "turns"] = Field(
        "files",
        description="of texts: files (long ones are cut into pieces), lines, each with the label of its file, functions (of "
        "Python), or turns (of a script, labelled with who speaks)",
    )


MARKED = (".json", ".xml")  # texts of which much is structure
LAST = True  # takes every file that no other plug-in does


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    return path.is_dir() or path.is_file() or ("://" not in location and MAGIC.search(location) is not None)


def fingerprint(source: SourceSettings) -> str:
    whole = hashlib.sha256()
    names, paths = _names(source), content_files(source)
    for name, file, digest in zip(names, paths, digests(paths), strict=True):
        line = f"{name}\0{file.stat().st_size}\0{digest}\n"
        whole.update(line.encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def modality(source: SourceSettings) -> str:
    """The one modality of all files; raises `BadInput` with what was found where there are several kinds."""
    paths = content_files(source)
    if not source.path.is_file() and table_folder.suits(paths):
        return _of_tables(source, paths)
    _check_options(source)
    root = source.root
    kinds = Counter(_kind(root, name) for name in _names(source))
    return files.one_modality(kinds, source.location) or "text"  # called a table, and none


def _check_options(source: SourceSettings) -> None:
    """Raise `BadInput` for an option of tables where there are none, and for a value that does not fit."""
    options(source, Options)
    for name in source.options:
        if name not in Options.model_fields:
            raise BadInput(f"option {name!r} does not fit {source.location}: it holds no tables")


def _of_tables(source: SourceSettings, paths: list[Path]) -> str:
    """What the first of the tables is, if all of a table can be one item; else what all of them are as one table."""
    first = source.model_copy(update={"location": str(paths[0])})
    with suppress(BadInput):
        kind = str(plugin(first).modality(first))
        if divided_inside(find("aigc_models.modalities", kind)):
            return kind
    return table_folder.modality(paths, source)


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """Files in the order of their names; with `--modality` given, files of other kinds are left out."""
    return read_new(source, modality, ())


def read_new(source: SourceSettings, modality: str, unchanged: Collection[str]) -> Iterator[RawItem]:
    """The same without the files that are `unchanged`: these are not opened. Tables of series and events are always read."""
    if divided_inside(find("aigc_models.modalities", modality)) or histories.suits(source, modality):
        tables = [file for file in content_files(source) if file.suffix.lower() in files.tables()]
        yield from timelines.of_folder(tables, source, modality)
        yield from _odd(source, files.tables())
        return
    paths = content_files(source)
    if not source.path.is_file() and table_folder.suits(paths):
        yield from table_folder.items(paths, source, modality, unchanged)
        yield from _odd(source, files.tables())
        return
    _check_options(source)
    files.check(source, modality)
    root, alone, names = source.root, source.path.is_file(), _names(source)
    chosen = [name for name in names if alone or _kind(root, name, unread=modality) == modality]
    if not chosen:
        kinds = Counter(_kind(root, name) for name in names)
        raise BadInput(f"{source.location} holds no file of the modality {modality}, but {files.listed(kinds)}")
    _say_omitted(source, names, chosen, modality)
    if marked := [name for name in chosen if modality == "text" and name.lower().endswith(MARKED)]:
        notices.say_once(
            f"{source.location}: {marked[0]} and the like ({len(marked)} files) are learnt with their braces and marks"
        )
    labels = files.labels(chosen, source, modality)
    for name in chosen:
        if name in unchanged:
            continue
        payload, shown, unread = _payload(root, name)
        label = labels.get(files.parent(name)) or source.labels.of_name(files.base(name))
        item = RawItem(payload, shown, name, label, split=files.split(name, source), unread=name if unread else None)
        yield from files.inside(item, source, modality, len(chosen))
    yield from _odd(source, tuple(find("aigc_models.modalities", modality).SUFFIXES))


def _say_omitted(source: SourceSettings, names: list[str], chosen: list[str], modality: str) -> None:
    if not source.path.is_file():
        omitted.say_notes(source, linked.names(source), names)
    omitted.say_others(source, sorted(set(names) - set(chosen)), modality)
    if modality == "text":
        omitted.say_endings(source, chosen)


def _odd(source: SourceSettings, suffixes: tuple[str, ...]) -> Iterator[RawItem]:
    """What ends like this and is no file, as items without content: a pipe is not opened, for it may never end."""
    entries = list(below(source.path, source.follow_links)) if source.path.is_dir() else []
    for name, entry, _ in entries:
        if entry.is_dir(follow_symlinks=False):
            problem = "is a folder that may not be read; change its permissions and add the folder again"
            yield RawItem(b"", unusable(files.base(name), problem), name, unread=f"{name}/")
    odd = (name for name, entry, _ in entries if not is_file(entry) and not os.path.isdir(entry.path))
    for name in files.content(name for name in odd if name.lower().endswith(suffixes)):
        nothing = not (source.path / name).exists()
        problem = "is a link to nothing" if nothing else "is no file but a pipe, a socket or a device"
        yield RawItem(b"", unusable(files.base(name), problem), name)
    yield from linked.left_out(source)


def _payload(root: Path, name: str) -> tuple[bytes, str, bool]:
    """The bytes and the name of a file; of one that cannot be read there are none, and the name says why. And whether
    what it holds may be the same as before."""
    shown = files.base(name)
    try:
        with (root / name).open("rb") as file:
            problem = files.too_large(os.fstat(file.fileno()).st_size)
            return (b"", unusable(shown, problem), False) if problem else (file.read(), shown, False)
    except FileNotFoundError:
        problem = "is gone: it was removed while the folder was read"
    except PermissionError:
        problem = "may not be read; change its permissions and add the folder again"
    except OSError as error:
        problem = f"{error.strerror}; mend what it lies on and add the folder again"
    return b"", unusable(shown, problem), True


def content_files(source: SourceSettings) -> list[Path]:
    """All files but hidden ones and, where anything else is there, notes on the content."""
    root = source.root  # which asks the file system
    return [root / name for name in _names(source)]


def _names(source: SourceSettings) -> list[str]:
    root = source.root
    if source.path.is_file():
        return [source.path.name]
    if source.pattern and not root.is_dir():
        raise BadInput(f"{source.location}: there is no folder {root}")
    if not os.access(root, os.R_OK | os.X_OK):
        raise BadInput(f"{root} may not be read; change its permissions")
    paths = files.content(linked.names(source))
    if not paths and (out := linked.leading_out(source)):
        raise BadInput(f"{source.location} holds nothing but links that lead out of it, such as {out[0]}; {linked.ADVICE}")
    if not paths and source.pattern:
        raise BadInput(f"no file in {root} fits the pattern {source.pattern}")
    if not paths:
        raise BadInput(f"{source.location} is an empty folder; put pictures, sounds or text files into it")
    return paths


def _kind(root: Path, name: str, unread: str = "unreadable") -> str:
    try:
        return files.kind(name, lambda: _head(root / name))
    except OSError:  # whoever takes it in is told why it cannot be read
        return unread


def _head(file: Path) -> bytes:
    with file.open("rb") as handle:
        return handle.read(files.HEAD)
