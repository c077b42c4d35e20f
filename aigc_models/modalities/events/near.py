"""Which tunes and histories are nearly the same: by runs of intervals and durations, or of items.

A tune keeps its pieces when it is moved to another key; the voices of a tune are taken apart first, so that one more voice
changes nothing in the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from aigc_models.modalities.events.events import Events

RUN = {True: 4, False: 2}  # events in a piece: of a tune, of a history
GRID = 12  # parts of a quarter note that durations are counted in


def pieces(content: Events) -> list[bytes]:
    """The runs of events that are compared."""
    size = RUN[content.tune]
    runs = []
    for line in steps(content):
        runs += ["\x1f".join(line[at : at + size]).encode() for at in range(max(1, len(line) - size + 1))]
    return runs


def hashes(content: Events) -> np.ndarray:
    """64 bits of each different piece, uint64, in order."""
    digests = {hashlib.blake2b(piece, digest_size=8).digest() for piece in pieces(content)}
    return np.unique(np.frombuffer(b"".join(sorted(digests)), dtype="<u8"))


def steps(content: Events) -> Iterator[list[str]]:
    """Of each voice its interval from the note before and its duration, or the items of a history, as text."""
    if content.durations is None or content.voices is None:
        yield [str(item) for item in content.values]
        return
    lengths = np.rint(content.durations * GRID).astype(np.int64)
    for voice in np.unique(content.voices):
        in_voice = content.voices == voice
        intervals = np.diff(content.values[in_voice], prepend=content.values[in_voice][:1])
        yield [f"{interval}:{length}" for interval, length in zip(intervals.tolist(), lengths[in_voice].tolist(), strict=True)]
