"""The files in a tar archive, plain or compressed, as a stream."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from aigc_models.errors import BadInput, Unreadable
from tasks.ingest.readers.packed import DAMAGE, Budget, Packed, Wanted, name_problem, taken, tidy, words

HEADER = 16_000_000  # bytes of what stands before a file
MOST_ENDS = 9
BUFFER = 20 * tarfile.BLOCKSIZE
UNPACK: dict[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}


def walk(path: Path, wanted: Wanted, budget: Budget) -> Iterator[Packed]:
    """The files in the order of the archive; where it is damaged the last that comes says so.

    Raises `BadInput` where it is no archive, or unpacks to more than the budget.
    """
    with path.open("rb") as file:
        start = file.read(6)
        file.seek(0)
        unpack = next((opener for magic, opener in UNPACK.items() if start.startswith(magic)), None)
        yield from _entries(path, unpack(file) if unpack else file, wanted, budget)


def _entries(path: Path, stream: IO[bytes], wanted: Wanted, budget: Budget) -> Iterator[Packed]:
    """Reading cannot go on behind a damage."""
    guard, last = _Guard(stream, budget), Packed(-1, "")
    try:
        with tarfile.open(fileobj=guard, mode="r|", bufsize=BUFFER) as tar:
            while (info := guard.next(tar)) is not None:
                last = Packed(last.number + 1, tidy(info.name))
                if not info.isdir():
                    yield _from_tar(tar, info, last, wanted, budget)
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno:
            raise
        if last.number < 0:
            raise BadInput(f"{path.name} is no archive, or damaged from its start: {words(error)}; fetch it again") from error
        problem = f"damaged at or after {last.name!r} ({words(error)}); what comes behind is lost; fetch it again"
        yield Packed(last.number + 1, "", problem=problem)
        return
    try:
        guard.finish()
    except DAMAGE as error:
        problem = f"damaged behind its last file ({words(error)}): one of its files may be altered; fetch it again"
        yield Packed(last.number + 1, "", problem=problem)


def _from_tar(tar: tarfile.TarFile, info: tarfile.TarInfo, entry: Packed, wanted: Wanted, budget: Budget) -> Packed:
    problem = _tar_problem(info) or name_problem(entry.name)
    most = 0 if problem else wanted(entry.number, entry.name)
    handle = tar.extractfile(info) if most else None
    if handle is None:
        return Packed(entry.number, entry.name, problem=problem)
    try:
        # What comes out is counted where the archive itself is read.
        payload = taken(handle, most, info.size, info.size, Budget(budget.path, info.size, budget.ratio))
        return Packed(entry.number, entry.name, payload)
    except Unreadable as error:
        return Packed(entry.number, entry.name, problem=str(error))


def _tar_problem(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return f"is a link to {info.linkname}; pack what it points to"
    if not info.isfile():
        return "is no plain file but a device or a pipe"
    return "is stored as a sparse file; pack it without --sparse" if info.issparse() else ""


class _Guard(io.RawIOBase):
    """What a tar archive is read through: counts its bytes, keeps the last, and bounds what is read to find a file."""

    def __init__(self, stream: IO[bytes], budget: Budget) -> None:
        self.stream, self.budget = stream, budget
        self.position, self.until, self.tail = 0, HEADER, b""
        self.ends = 0  # how often nothing was left to be read

    def read(self, size: int = -1, /) -> bytes:
        chunk = self.stream.read(size)
        self.position += len(chunk)
        self.ends += not chunk
        if self.ends > MOST_ENDS:  # tarfile goes on to where a header says that the next one is, however far
            raise tarfile.ReadError("the archive ends before its last file does")
        self.tail = (self.tail + chunk)[-2 * BUFFER :]
        self.budget.take(len(chunk))
        if self.position > self.until:
            raise tarfile.ReadError(f"a header of more than {HEADER / 1e6:.0f} MB")
        return chunk

    def finish(self) -> None:
        """Read what is behind the end, for there stands the checksum of what was packed."""
        self.until, self.ends = sys.maxsize, 0
        while self.read(BUFFER):
            pass

    def next(self, tar: tarfile.TarFile) -> tarfile.TarInfo | None:
        """The next entry; None at a proper end. tarfile takes a header that makes no sense for an end, too."""
        self.until = tar.offset + HEADER
        info = tar.next()
        tar.members.clear()  # type: ignore[attr-defined]  # else each that was passed is kept
        if info is None and self._block(tar.offset).strip(b"\0"):
            raise tarfile.ReadError("a header that makes no sense")
        if info is None and not self._block(tar.offset):
            raise tarfile.ReadError("no mark of an end")
        self.until = tar.offset + HEADER
        return info

    def _block(self, offset: int) -> bytes:
        start = max(len(self.tail) - (self.position - offset), 0)
        return self.tail[start : start + tarfile.BLOCKSIZE]
