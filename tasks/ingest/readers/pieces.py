"""A long text as pieces cut at paragraph borders, or as labelled lines; on bytes, so that one bad byte spoils one item."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

DOCUMENTS = 50  # from so many files on each is an item as it is
PIECES = 300  # of all files, where there are fewer: enough to learn from some and to measure with others
SHORTEST, LONGEST = 1000, 16_384  # bytes of a piece at most, for little text and for much
_BORDERS = (rb"\n[ \t]*\n\s*", rb"\n", rb"(?<=[.!?]) +", rb" +")  # paragraph, line, sentence, word
_JOINTS = (b"\n\n", b"\n", b" ", b" ")


def plain(payload: bytes) -> bytes:
    """UTF-8 without byte-order mark and with `\\n` alone, where the encoding is known; else unchanged."""
    if payload.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            payload = payload.decode("utf-16").encode("utf-8")
        except UnicodeDecodeError:
            return payload
    return payload.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def limit(files: int, size: int) -> int | None:
    """Bytes of a piece of a text of `size` bytes that is one of so many `files`; None: it is not cut, however long it is.

    >>> limit(1, 1_100_000), limit(1, 90_000), limit(49, 10**9), limit(50, 10**9)
    (3666, 1000, 16384, None)
    """
    return None if files >= DOCUMENTS else min(LONGEST, max(SHORTEST, files * size // PIECES))


def cut(payload: bytes, limit: int) -> list[bytes]:
    """Paragraphs merged up to `limit` bytes; a longer one is cut between lines, sentences or words."""
    return [piece for piece in _merged(payload, 0, limit) if piece.strip()]


def _merged(payload: bytes, level: int, limit: int) -> Iterator[bytes]:
    if len(payload) <= limit:
        yield payload.strip(b"\n")
    elif level == len(_BORDERS):
        yield from _hard(payload, limit)
    else:
        yield from _packed(re.split(_BORDERS[level], payload), level, limit)


def _packed(parts: Iterable[bytes], level: int, limit: int) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for part in parts:
        if held and size + len(part) > limit:
            yield from _merged(_JOINTS[level].join(held), level + 1, limit)
            held, size = [], 0
        held.append(part)
        size += len(part) + len(_JOINTS[level])
    yield from _merged(_JOINTS[level].join(held), level + 1, limit)


def _hard(payload: bytes, limit: int) -> Iterator[bytes]:
    """At `limit` bytes, but never inside a UTF-8 character."""
    start = 0
    while start < len(payload):
        end = min(start + limit, len(payload))
        while end > max(start + limit - 4, start + 1) and end < len(payload) and payload[end] & 0xC0 == 0x80:
            end -= 1
        yield payload[start:end]
        start = end


def lines(payload: bytes, separator: str | None) -> Iterator[tuple[int, bytes, str | None]]:
    """(line number from 1, text, label) of each line that is not blank; the label stands after the last separator."""
    for number, line in enumerate(plain(payload).split(b"\n"), start=1):
        if not line.strip():
            continue
        text, delimiter, label = line.rpartition(separator.encode()) if separator else (line, b"", b"")
        yield (number, text.strip(), label.decode("utf-8", "replace").strip() or None) if delimiter else (number, line, None)
