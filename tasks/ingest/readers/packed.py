"""The files in an archive, read one after the other without unpacking to the disk: what zip and tar have in common.

What an archive says of itself is not believed: bytes are counted as they come out, and reading stops at a limit.
"""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aigc_models.errors import BadInput, Unreadable
from tasks.ingest.readers import files

CHUNK = 1 << 20  # bytes
FLOOR = 100_000_000  # bytes that any archive may unpack to, whatever its own size
SENSELESS = (RuntimeError, ValueError, OverflowError, struct.error)  # what zipfile and tarfile let through of a bad header
DAMAGE = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, *SENSELESS)
WORDS = {  # what the libraries say, in part: what it means
    "CRC": "its bytes do not fit its checksum",
    "Error -": "its packed bytes make no sense",
    "Corrupt input": "its packed bytes make no sense",
    "Invalid data": "its packed bytes make no sense",
    "end-of-stream": "it ends too early",
    "unexpected end of data": "it ends too early",
    "Truncated": "its place in the archive makes no sense",
    "truncated header": "it ends too early",
    "magic number": "its place in the archive makes no sense",
    "Bad offset": "its table of contents makes no sense",
    "central directory": "its table of contents makes no sense",
    "not a zip file": "it has no table of contents",
    "compression method": "it is packed in a way that cannot be read",
    "invalid header": "its header makes no sense",
    "bad checksum": "its header does not fit its checksum",
    "empty file": "it is empty",
}
Wanted = Callable[[int, str], int]  # bytes that are wanted of the file of a number and name


class Readable(Protocol):
    """What bytes come out of."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Packed:
    """A file in an archive, or an entry that cannot be used: then `problem` says why. `number` is its place."""

    number: int
    name: str
    payload: bytes = b""
    problem: str = ""


@dataclass
class Budget:
    """How much an archive may unpack to: `total` bytes, and `ratio` times its own size."""

    path: Path
    total: int
    ratio: int
    taken: int = 0
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = self.path.stat().st_size

    def take(self, count: int) -> None:
        """Count bytes that came out; raises `BadInput` where they are too many."""
        self.taken += count
        if self.taken > self.total:
            raise BadInput(f"{self.path.name} unpacks to more than {self.total:,} bytes; allow more with --option total=BYTES")
        if self.suspicious(self.taken, self.size):
            raise BadInput(
                f"{self.path.name} unpacks to more than {self.ratio} times its {self.size:,} bytes, "
                "as a decompression bomb does; if it is none, allow more with --option ratio=TIMES"
            )

    def suspicious(self, count: int, packed: int) -> bool:
        return count > max(FLOOR, self.ratio * packed)


def words(error: Exception) -> str:
    """What is wrong with a damaged archive, for people."""
    message = str(error)
    meaning = next((meant for part, meant in WORDS.items() if part in message), None)
    return meaning or (
        message if isinstance(error, (zipfile.BadZipFile, tarfile.TarError, EOFError)) else "its header makes no sense"
    )


def name_problem(name: str) -> str:
    """Why a name is refused: it leads out of the archive, or to another archive; empty for one that is not."""
    if name.startswith("/") or name[1:2] == ":":
        return "has an absolute name; pack it with a relative one"
    if ".." in name.split("/"):
        return "has a name that leads out of the archive ('..'); pack it anew"
    nested = name.lower().endswith((".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst", ".tbz2", ".txz"))
    return "is an archive inside an archive; unpack the outer one" if nested else ""


def taken(handle: Readable, most: int, size: int, packed: int, budget: Budget) -> bytes:
    """Up to `most` bytes; raises `Unreadable` where the file is larger than any may be, or than its packed bytes allow."""
    if most > files.HEAD and files.too_large(size):
        raise Unreadable(files.too_large(size))
    held = io.BytesIO()
    while held.tell() < most and (chunk := handle.read(min(CHUNK, most - held.tell()))):
        held.write(chunk)
        budget.take(len(chunk))
        if budget.suspicious(held.tell(), packed):
            raise Unreadable(f"unpacks to more than {budget.ratio} times its packed {packed:,} bytes; is it a bomb?")
    if files.too_large(held.tell()):
        raise Unreadable(f"unpacks to more than {files.LARGEST / 1e6:,.0f} MB, whatever its header says")
    return held.getvalue()


def tidy(name: str) -> str:
    """Without `./` and doubled separators."""
    parts = "/".join(part for part in name.split("/") if part not in ("", "."))
    return f"/{parts}" if name.startswith("/") else parts
