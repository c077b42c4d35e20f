"""A file that lies in memory, such as a table that came out of an archive, opened as one on the disk is."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any


@dataclass(frozen=True)
class InMemory:
    """What readers of tables ask of a path, and no more."""

    name: str
    payload: bytes

    def open(
        self, mode: str = "r", *, encoding: str | None = None, errors: str | None = None, newline: str | None = None
    ) -> IO[Any]:
        raw = io.BytesIO(self.payload)
        return raw if "b" in mode else io.TextIOWrapper(raw, encoding or "utf-8", errors, newline)

    def read_bytes(self) -> bytes:
        return self.payload


Held = Path | InMemory


def native(file: Held) -> Path | IO[bytes]:
    """What a library takes that knows nothing of `InMemory`."""
    return file if isinstance(file, Path) else file.open("rb")
