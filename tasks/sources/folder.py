"""A folder of pictures, of sounds or of text files, or a single one of these."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from aigc_models.errors import BadInput
from aigc_models.find import find, names
from aigc_models.modality import divided_inside
from tasks import magic, pieces, rows, timelines
from tasks.source import RawItem, SourceSettings, plugin

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq")
ABOUT = ("readme", "license", "licence", "copying", "notice", "changelog", "source")
NOTES = {stem + suffix for stem in ABOUT for suffix in ("", ".md", ".rst")} | {"readme.txt", "license.txt", "licence.txt"}
NOTES |= {"sha256sums.txt", "sha1sums.txt", "md5sums.txt", "thumbs.db", "desktop.ini"}
LARGEST = 1_000_000_000  # bytes of a file
SPLITS = {"train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation"}
SPLITS |= {"dev": "validation", "test": "test", "testing": "test"}


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    return path.is_dir() or (path.is_file() and path.suffix.lower() not in TABLES)


def fingerprint(source: SourceSettings) -> str:
    whole = hashlib.sha256()
    for file in content_files(source):
        line = f"{_relative(file, source)}\0{file.stat().st_size}\0{rows.digest(file)}\n"
        whole.update(line.encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def modality(source: SourceSettings) -> str:
    """The one modality of all files; raises `BadInput` with what was found where there are several kinds."""
    kinds = Counter(_kind(file) for file in content_files(source))
    known = names("aigc_models.modalities")
    if len(kinds) == 1 and next(iter(kinds)) in known:
        return next(iter(kinds))
    found = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(8))
    if set(kinds) <= set(TABLES):
        return _of_tables(source, found)
    if not set(kinds) & set(known):
        raise BadInput(f"{source.location} holds {found}; what can be read is: {', '.join(known)}, csv, jsonl, parquet")
    raise BadInput(f"{source.location} holds mixed kinds: {found}; say which to take with --modality {'|'.join(known)}")


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
    if divided_inside(find("aigc_models.modalities", modality)):
        tables = [file for file in content_files(source) if file.suffix.lower() in TABLES]
        yield from timelines.of_folder(tables, source, modality)
        return
    _check(source, modality)
    files = [file for file in content_files(source) if _kind(file) == modality or source.path.is_file()]
    if not files:
        raise BadInput(f"{source.location} holds no file of the modality {modality}")
    labels = _folder_labels(files, source, modality)
    for file in files:
        name = _relative(file, source)
        label = labels.get(file.parent) or source.labels.of_name(file.name)
        split = SPLITS.get(name.split("/")[0].lower()) if source.split else None
        item = RawItem(*_payload(file), name, label, split=split)
        yield from _documents(item, source, len(files) == 1) if modality == "text" else (item,)


def _payload(file: Path) -> tuple[bytes, str]:
    """The bytes and the name of a file; of one that is too large for memory there are none, and the name says why."""
    size = file.stat().st_size
    if size > LARGEST:
        return b"", f"{file.name}: has {size / 1e6:,.0f} MB; the limit is {LARGEST / 1e6:,.0f} MB"
    return file.read_bytes(), file.name


def _check(source: SourceSettings, modality: str) -> None:
    kinds = ("folder", "name", "line") if modality == "text" else ("folder", "name")
    source.labels.needs(kinds, source.location)
    wrong = {purpose: column for purpose, column in source.columns.items() if (purpose, column) != ("split", "folder")}
    if wrong:
        raise BadInput(
            f"{source.location} has no columns, so --{next(iter(wrong))} does not fit; name a csv, jsonl or parquet file"
        )


def content_files(source: SourceSettings) -> list[Path]:
    """All files but hidden ones and, where anything else is there, notes on the content."""
    if source.path.is_file():
        return [source.path]
    if not os.access(source.path, os.R_OK | os.X_OK):
        raise BadInput(f"{source.location} may not be read; change its permissions")
    below = (path for path in source.path.rglob("*") if path.is_file())
    seen = [path for path in below if not any(part.startswith(".") for part in path.relative_to(source.path).parts)]
    files = [path for path in seen if path.name.lower() not in NOTES] or seen
    if not files:
        raise BadInput(f"{source.location} is an empty folder; put pictures, sounds or text files into it")
    return sorted(files, key=lambda path: path.relative_to(source.path).as_posix())


def _relative(file: Path, source: SourceSettings) -> str:
    return file.relative_to(source.path).as_posix() if source.path.is_dir() else file.name


def _kind(file: Path) -> str:
    """The modality that a file's suffix names; without a suffix, text or what its bytes say; else the suffix."""
    suffix = file.suffix.lower()
    if suffix in TABLES:
        return suffix
    for modality in names("aigc_models.modalities"):
        if suffix in find("aigc_models.modalities", modality).SUFFIXES:
            return modality
    if suffix:
        return suffix
    with file.open("rb") as handle:
        head = handle.read(4096)
    return magic.modality_of(head) or ("binary" if b"\0" in head else "text")


def _folder_labels(files: list[Path], source: SourceSettings, modality: str) -> dict[Path, str]:
    """Label of each folder that holds files: its name, or its path where names are not unique; splits are no part of it."""
    wanted = source.labels.kind == "folder" or (not source.labels.kind and modality != "text")
    folders = {file.parent for file in files if file.parent != source.path} if wanted and source.path.is_dir() else set()
    parts = {
        folder: [part for part in folder.relative_to(source.path).parts if part.lower() not in SPLITS] for folder in folders
    }
    paths = {folder: "/".join(left) for folder, left in parts.items() if left}
    unique = len(set(paths.values())) == len({path.rsplit("/", 1)[-1] for path in paths.values()})
    labels = {folder: path.rsplit("/", 1)[-1] if unique else path for folder, path in paths.items()}
    if source.labels.kind == "folder" and not labels:
        raise BadInput(f"{source.location} has no sub-folders to take labels from; leave out --label or use name:REGEX")
    return labels


def _documents(item: RawItem, source: SourceSettings, alone: bool) -> Iterator[RawItem]:
    """A text file as one item, as pieces if it is long, or as a labelled line each."""
    if source.labels.kind == "line":
        for number, text, label in pieces.lines(item.payload, source.labels.argument):
            yield replace(item, payload=text, name=f"{item.name} line {number}", source=f"{item.source}#{number}", label=label)
        return
    text = pieces.plain(item.payload)
    cut = pieces.cut(text) if len(text) > pieces.LIMIT and b"\0" not in text else []
    if len(cut) < 2:
        yield item
        return
    for number, piece in enumerate(cut, start=1):
        group = None if alone else item.source
        yield replace(item, payload=piece, name=f"{item.name} piece {number}", source=f"{item.source}#{number}", group=group)
