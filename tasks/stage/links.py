"""Symbolic links that lead out of the folder in which they lie: nothing is read, written or removed through one that
somebody else may have put there. A folder that the user names may itself be a link.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from aigc_models.errors import BadInput

LEADS_OUT = "is a link that leads out of the folder"
Below = tuple[str, "os.DirEntry[str]", bool]


def leads_out(path: Path | str, folder: Path | str) -> bool:
    """Whether `path`, which is named as one below `folder`, lies elsewhere by a link on the way."""
    top = os.path.realpath(folder)
    return os.path.commonpath([top, os.path.realpath(path)]) != top


def below(folder: Path | str, follow: bool = False) -> Iterator[Below]:
    """Name, entry and whether it is a link that leads out, of all below a folder that is no folder; names begin there.

    A link to a folder is not entered: what lies within is there already. With `follow` those that lead out are, each once.
    A folder in it that may not be read comes as an entry itself.
    """
    top = os.path.realpath(folder)
    return _below(str(folder), "", top, {top} if follow else None)


def _below(folder: str, before: str, top: str, entered: set[str] | None) -> Iterator[Below]:
    with suppress(PermissionError):
        for entry in list(os.scandir(folder)):
            out = entry.is_symlink() and leads_out(entry.path, top)
            within = entry.is_dir(follow_symlinks=False) or (out and entered is not None and _is_new(entry, entered))
            if within and readable(entry.path):
                yield from _below(entry.path, f"{before}{entry.name}/", top, entered)
            else:
                yield before + entry.name, entry, out


def readable(folder: str) -> bool:
    """Whether what lies in a folder can be listed."""
    return os.access(folder, os.R_OK | os.X_OK)


def _is_new(entry: os.DirEntry[str], entered: set[str]) -> bool:
    """Whether a link leads to a folder that was not entered; it is from now on."""
    place = os.path.realpath(entry.path)
    new = os.path.isdir(place) and place not in entered
    entered.add(place)
    return new


def is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file or a link to one."""
    try:
        return entry.is_file()
    except OSError:  # a link that leads to itself
        return False


def refuse_links(paths: Iterable[Path]) -> None:
    """Raise `BadInput` for the first that is a link, before anything is written to where it leads."""
    for path in paths:
        if path.is_symlink():
            raise BadInput(f"{path} is a link, and nothing is written through one; remove it or choose another --out")
