"""The files of a source's folder. Links in it that lead out of it are left out and named, unless it says `follow_links`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from aigc_models.errors import BadInput, unusable
from tasks.ingest.readers import files, notices
from tasks.ingest.source import RawItem, SourceSettings
from tasks.stage.links import LEADS_OUT, below, is_file, leads_out

ADVICE = "--follow-links takes what it leads to"


def names(source: SourceSettings) -> Iterator[str]:
    """Of the files below the folder, or of those that fit the pattern, in no order."""
    if source.pattern:
        yield from (name for name in _fitting(source) if source.follow_links or not leads_out(source.root / name, source.root))
        return
    for name, entry, out in below(source.root, source.follow_links):
        if is_file(entry) and (source.follow_links or not out):
            yield name


def leading_out(source: SourceSettings) -> list[str]:
    """The names of what is left out since it lies elsewhere, hidden ones aside."""
    if source.follow_links or not source.root.is_dir() or source.path.is_file():
        return []
    if source.pattern:
        return files.content(name for name in _fitting(source) if leads_out(source.root / name, source.root))
    return files.content(
        name for name, entry, out in below(source.root) if out and (is_file(entry) or os.path.isdir(entry.path))
    )


def left_out(source: SourceSettings) -> Iterator[RawItem]:
    """The same as items without content, which say why."""
    for name in leading_out(source):
        yield RawItem(b"", unusable(files.base(name), f"{LEADS_OUT}; {ADVICE}"), name)


def kept(paths: Iterable[Path], source: SourceSettings) -> list[Path]:
    """Those of the files that are not left out; who runs the command is told of the others."""
    listed = list(paths)
    out = [path for path in listed if not source.follow_links and leads_out(path, source.root)]
    for path in out:
        _say(f"{path} {LEADS_OUT} and is left out; {ADVICE}")
    return [path for path in listed if path not in out]


def checked(paths: list[Path], source: SourceSettings) -> list[Path]:
    """The files, where they make sense together alone; raises `BadInput` that names one that would be left out."""
    for path in paths if source.path.is_dir() and not source.follow_links else ():
        if leads_out(path, source.path):
            raise BadInput(f"{path} {LEADS_OUT}; {ADVICE}, or put the file itself there")
    return paths


@cache
def _say(text: str) -> None:
    """Once a process: a folder is looked through several times."""
    notices.say(text)


def _fitting(source: SourceSettings) -> Iterator[str]:
    root = source.root
    return (path.relative_to(root).as_posix() for path in root.glob(source.pattern) if path.is_file())
