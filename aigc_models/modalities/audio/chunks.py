"""How much of a sound a file's own header announces and does not hold; libsndfile reads what is there and does not say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

STREAMED = 0x7FFF0000  # a length from here on was written by a program that did not know it yet


@dataclass(frozen=True)
class Layout:
    """Where the chunks of a format begin, how long their names and lengths are, and which holds the samples."""

    first: int
    name: int
    length: int
    order: Literal["little", "big"]
    data: tuple[bytes, ...]
    counted: int  # bytes of the chunk's own header that its length counts in
    padded: int  # bytes to a multiple of which a chunk is filled up


LAYOUTS = {
    b"RIFF": Layout(12, 4, 4, "little", (b"data",), 0, 2),
    b"FORM": Layout(12, 4, 4, "big", (b"SSND",), 0, 2),
    b"caff": Layout(8, 4, 8, "big", (b"data",), 0, 1),
    b"riff": Layout(40, 16, 8, "little", (b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a",), 24, 8),  # W64
}


def missing(payload: bytes) -> int:
    """How many bytes of the announced samples are not there; 0 where the format announces none, or a stream was written."""
    if payload[:4] == b".snd":
        size = int.from_bytes(payload[8:12], "big")
        return _left(size, len(payload) - int.from_bytes(payload[4:8], "big"))
    layout = LAYOUTS.get(payload[:4])
    chunks = _chunks(payload, layout) if layout else iter(())
    return next((_left(size, len(payload) - start) for name, start, size in chunks if layout and name in layout.data), 0)


def _left(size: int, held: int) -> int:
    return 0 if size >= STREAMED else max(0, size - max(0, held))


def _chunks(payload: bytes, layout: Layout) -> Iterator[tuple[bytes, int, int]]:
    """Name, start of the content and announced length of each chunk."""
    at, head = layout.first, layout.name + layout.length
    while at + head <= len(payload):
        size = int.from_bytes(payload[at + layout.name : at + head], layout.order) - layout.counted
        yield payload[at : at + layout.name], at + head, size
        at += head + max(0, size) + -size % layout.padded
