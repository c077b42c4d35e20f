"""The files in a zip archive, by its table of contents; of one that was cut off what is left."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from aigc_models.errors import BadInput, Unreadable
from tasks.ingest.readers import zip_remains
from tasks.ingest.readers.packed import DAMAGE, Budget, Packed, Wanted, name_problem, taken, tidy, words


def walk(path: Path, wanted: Wanted, budget: Budget) -> Iterator[Packed]:
    """The files in the order of the table of contents, or where that is missing in the order in which they lie.

    Raises `BadInput` where it is no archive, or unpacks to more than the budget.
    """
    with path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
        except DAMAGE as error:
            yield from _remains(path, file, wanted, budget, words(error))
            return
        with archive:
            for number, info in enumerate(archive.infolist()):
                if not info.filename.endswith("/"):
                    name = tidy(info.filename.replace("\\", "/"))
                    yield _read(archive, info, Packed(number, name, problem=_problem(info, name)), wanted, budget)


def _remains(path: Path, file: IO[bytes], wanted: Wanted, budget: Budget, reason: str) -> Iterator[Packed]:
    last = None
    for last in zip_remains.walk(file, wanted, budget):
        yield last
    if last is None:
        raise BadInput(f"{path.name} is no zip archive, or damaged from its start: {reason}; fetch it again")
    problem = f"damaged at or after {last.name!r} ({reason}); what comes behind is lost; fetch it again"
    yield Packed(last.number + 1, "", problem=problem)


def _problem(info: zipfile.ZipInfo, name: str) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "is a link; pack what it points to" if kind == stat.S_IFLNK else "is no plain file but a device"
    return "is encrypted; unpack it with its password" if info.flag_bits & 1 else name_problem(name)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, entry: Packed, wanted: Wanted, budget: Budget) -> Packed:
    most = 0 if entry.problem else wanted(entry.number, entry.name)
    if not most:
        return entry
    try:
        with archive.open(info) as handle:
            return Packed(entry.number, entry.name, taken(handle, most, info.file_size, info.compress_size, budget))
    except Unreadable as error:
        return Packed(entry.number, entry.name, problem=str(error))
    except DAMAGE as error:
        return Packed(entry.number, entry.name, problem=f"is damaged: {words(error)}")
