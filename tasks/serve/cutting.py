"""A text as it is drawn: without its prompt, in slices of time, cut before a stop string or at its length."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Literal


class Cut:
    """One completion's text, ended by the model, before a stop string, or after `most` tokens (bytes)."""

    def __init__(self, pieces: Iterator[str], most: int, stops: Sequence[str]) -> None:
        self._pieces, self._most, self._stops = pieces, most, stops
        self.tokens = 0
        self.reason: Literal["stop", "length"] = "stop"

    def __iter__(self) -> Iterator[str]:
        held = ""  # what may turn out to be the beginning of a stop string
        for piece in self._pieces:
            if self._full(piece):
                break
            held += piece
            ends = [at for stop in self._stops if (at := held.find(stop)) >= 0]
            if ends:
                yield held[: min(ends)]
                return
            safe = len(held) - max((_overlap(held, stop) for stop in self._stops), default=0)
            if safe:
                yield held[:safe]
            held = held[safe:]
        if held:
            yield held

    def _full(self, piece: str) -> bool:
        size = len(piece.encode())
        if self.tokens + size > self._most:
            self.reason = "length"
            return True
        self.tokens += size
        return False


def after_prompt(pieces: Iterator[str], size: int) -> Iterator[str]:
    """`pieces` without the first `size` characters, which are the prompt."""
    for piece in pieces:
        rest, size = piece[size:], max(0, size - len(piece))
        if rest:
            yield rest


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` begin `stop`."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)


def pull(pieces: Iterator[str], seconds: float) -> str | None:
    """As much as comes within `seconds`, at least one piece; None at the end."""
    until = time.monotonic() + seconds
    text = ""
    for piece in pieces:
        text += piece
        if text and time.monotonic() >= until:
            break
    return text or None
