"""The files in a zip archive without a table of contents, as one that was cut off: each by the header before it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from aigc_models.errors import Unreadable
from tasks.ingest.readers.packed import CHUNK, DAMAGE, Budget, Packed, Wanted, name_problem, taken, tidy, words

HEADER = struct.Struct("<4s5H3L2H")
START, DESCRIPTOR = b"PK\x03\x04", b"PK\x07\x08"
ENCRYPTED, SIZE_BEHIND, UNICODE = 1, 8, 0x800  # flags
STORED, DEFLATED = 0, 8
BIG = 0xFFFFFFFF  # a size that stands elsewhere


@dataclass(frozen=True)
class Header:
    """What stands before a file. `packed` and `checksum` count only where they do not stand behind it."""

    name: str
    flags: int
    method: int
    checksum: int
    packed: int

    @property
    def sized(self) -> bool:
        return not self.flags & SIZE_BEHIND and self.packed != BIG


def walk(file: IO[bytes], wanted: Wanted, budget: Budget) -> Iterator[Packed]:
    """Up to the first file that is not whole."""
    file.seek(0)
    number = 0
    while (header := _header(file)) is not None and _passable(header):
        entry = Packed(number, tidy(header.name.replace("\\", "/")))
        start = file.tell()
        try:
            entry_read = _read(file, header, entry, wanted, budget)
        except DAMAGE as error:
            yield Packed(number, entry.name, problem=f"is damaged or cut off: {words(error)}")
            return
        if not header.name.endswith("/"):
            yield entry_read
        if header.sized:
            file.seek(start + header.packed)
        number += 1


def _header(file: IO[bytes]) -> Header | None:
    raw = file.read(HEADER.size)
    if len(raw) < HEADER.size or not raw.startswith(START):
        return None
    _, _, flags, method, _, _, checksum, packed, _, length, more = HEADER.unpack(raw)
    name = file.read(length)
    file.seek(more, io.SEEK_CUR)
    return Header(name.decode("utf-8" if flags & UNICODE else "cp437", "replace"), flags, method, checksum, packed)


def _passable(header: Header) -> bool:
    """Whether the end of the file can be found."""
    return header.sized or (header.method == DEFLATED and not header.flags & ENCRYPTED)


def _read(file: IO[bytes], header: Header, entry: Packed, wanted: Wanted, budget: Budget) -> Packed:
    if header.flags & ENCRYPTED or header.method not in (STORED, DEFLATED):
        return Packed(entry.number, entry.name, problem="is encrypted, or packed in a way that needs the whole archive")
    problem = name_problem(entry.name)
    content = _Content(file, header)
    try:
        payload = b"" if problem else taken(content, wanted(entry.number, entry.name), 0, budget.size, budget)
    except Unreadable as error:
        payload, problem = b"", str(error)
    while chunk := content.read(CHUNK):  # to where the next one begins
        budget.take(len(chunk))
    return Packed(entry.number, entry.name, b"" if problem else payload, problem)


class _Content(io.RawIOBase):
    """What a file unpacks to; at its end the checksum is compared. Raises `EOFError` where the archive ends before."""

    def __init__(self, file: IO[bytes], header: Header) -> None:
        self.file, self.header = file, header
        self.left = header.packed if header.sized else None
        self.unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        self.checksum, self.done = 0, False

    def read(self, size: int = -1, /) -> bytes:
        if self.done:
            return b""
        chunk = self._stored(size) if self.header.method == STORED else self._inflated(size)
        self.checksum = zlib.crc32(chunk, self.checksum)
        if not chunk:
            self.done = True
            self._check()
        return chunk

    def _packed(self, size: int) -> bytes:
        raw = self.file.read(size if self.left is None else min(size, self.left))
        self.left = None if self.left is None else self.left - len(raw)
        if not raw and self.left != 0:
            raise EOFError("the archive ends here")
        return raw

    def _stored(self, size: int) -> bytes:
        return self._packed(size)

    def _inflated(self, size: int) -> bytes:
        chunk = b""
        while not chunk and not self.unpack.eof:
            raw = self.unpack.unconsumed_tail or self._packed(CHUNK)
            chunk = self.unpack.decompress(raw, max(size, 0))
            if not raw:
                raise EOFError("its packed bytes end too early")
        return chunk

    def _check(self) -> None:
        expected = self.header.checksum
        if not self.header.sized:
            self.file.seek(-len(self.unpack.unused_data), io.SEEK_CUR)
            expected = _behind(self.file)
        if self.checksum != expected:
            raise EOFError("its bytes do not fit its checksum")


def _behind(file: IO[bytes]) -> int:
    """The checksum that stands behind a file; sizes of four or of eight bytes follow it."""
    raw = file.read(4)
    (checksum,) = struct.unpack("<L", file.read(4) if raw == DESCRIPTOR else raw)
    start = file.tell()
    for width in (8, 16):
        file.seek(start + width)
        if file.read(2) in (b"PK", b""):
            file.seek(start + width)
            break
    return int(checksum)
