"""Content that a user gives to a registered model: a file, a folder, or standard input, read as its modality reads it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from aigc_models.errors import BadInput, Unreadable
from tasks.stage.links import LEADS_OUT, leads_out

LARGEST = 256 * 2**20  # bytes of a file
STDIN = "-"


@dataclass(frozen=True)
class Given:
    """One item; `name`: its file, relative to the folder that was given, with `:LINE` where each line is an item."""

    name: str
    content: Any


@dataclass(frozen=True)
class Refused:
    """A file (or line) that cannot be used, and why."""

    name: str
    reason: str


def read(
    modality: ModuleType, where: str, by_line: bool = False, stdin: BinaryIO | None = None
) -> tuple[list[Given], list[Refused]]:
    """The items at `where` (a file, a folder, or `-`), and what of it cannot be used.

    `by_line`: each line of a text file is an item. Raises `BadInput` naming file and reason where nothing can be used.
    """
    usable: list[Given] = []
    refused: list[Refused] = []
    for name, load in _payloads(modality, where, stdin):
        try:
            for each, part in _items(modality, name, load(), by_line):
                _sort(modality, each, part, usable, refused)
        except Unreadable as error:
            refused.append(Refused(name, str(error)))
    if not usable:
        first = f"{refused[0].name}: {refused[0].reason}" if refused else f"no {_suffixes(modality)} file in {where}"
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise BadInput(f"nothing to use in --input {where}: {first}{more}; give {_suffixes(modality)} files that can be read")
    return usable, refused


def _sort(modality: ModuleType, name: str, payload: bytes, usable: list[Given], refused: list[Refused]) -> None:
    try:
        content = modality.read(payload, name)
        reason = modality.validate(content)
        if reason is None:
            content = modality.normalise(content)
            usable.append(Given(name, content))
    except Unreadable as error:
        reason = str(error)
    if reason is not None:
        refused.append(Refused(name, reason))


def _items(modality: ModuleType, name: str, payload: bytes, by_line: bool) -> Iterator[tuple[str, bytes]]:
    if not by_line:
        yield name, payload
        return
    if modality.suffix != ".txt":
        raise BadInput(f"--lines takes texts apart, and the model is not one of texts but of {modality.suffix} files")
    for number, line in enumerate(payload.splitlines(), start=1):
        if line.strip():
            yield f"{name}:{number}", line


def _payloads(modality: ModuleType, where: str, stdin: BinaryIO | None) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Names and how to read each file."""
    if where == STDIN:
        yield f"stdin{modality.suffix}", lambda: _bounded((stdin or sys.stdin.buffer).read(LARGEST + 1))
        return
    path = Path(where)
    if path.is_dir():
        for file in sorted(one for one in path.rglob("*") if one.is_file() and not one.name.startswith(".")):
            yield file.relative_to(path).as_posix(), _file(file, path, modality)
    elif path.exists():
        yield path.name, lambda: _load(path)
    else:
        raise BadInput(f"--input {where}: no such file or folder")


def _file(path: Path, folder: Path, modality: ModuleType) -> Callable[[], bytes]:
    """How to read a file of a folder, where others may lie beside those that are meant."""

    def load() -> bytes:
        if path.suffix.lower() not in modality.SUFFIXES:
            raise Unreadable(f"is no {_suffixes(modality)} file")
        if leads_out(path, folder):
            raise Unreadable(f"{LEADS_OUT}; put the file itself there")
        return _load(path)

    return load


def _load(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return _bounded(file.read(LARGEST + 1))
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}") from error


def _bounded(payload: bytes) -> bytes:
    if len(payload) > LARGEST:
        raise Unreadable(f"larger than {LARGEST // 2**20} MiB; divide it")
    return payload


def _suffixes(modality: ModuleType) -> str:
    some = sorted(modality.SUFFIXES, key=lambda suffix: (suffix != modality.suffix, suffix))[:4]
    return ", ".join(some) + (", ..." if len(modality.SUFFIXES) > len(some) else "")
