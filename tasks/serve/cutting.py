"""A text as it is drawn: in whole characters, cut before a stop string or at its length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Protocol

Reason = Literal["stop", "length", "content_filter"]


class Decodes(Protocol):
    """Symbols to text, as `modalities.text.Decoder`."""

    def add(self, symbol: int) -> str: ...
    def rest(self) -> str: ...


class Cut:
    """One completion's text, ended by the model, before a stop string, or after `most` symbols."""

    def __init__(self, decoder: Decodes, end: int, most: int, stops: Sequence[str]) -> None:
        self._decoder, self._end, self._most, self._stops = decoder, end, most, stops
        self._held = ""  # what may turn out to be the beginning of a stop string
        self._pending = 0  # symbols of a character that is not complete
        self.tokens = 0
        self.shown = 0  # characters
        self.reason: Reason | None = None  # why it ended; none: it goes on

    def add(self, symbols: Iterable[int], last: bool = False, why: Reason = "length") -> str:
        """What can be shown now; `last`: nothing follows these symbols, and `why`, where it did not end by itself."""
        text = ""
        for symbol in symbols:
            if self.reason:
                break
            if symbol == self._end:
                text += self._closed("stop")
            else:
                self._pending += 1
                text += self._piece(self._decoder.add(symbol))
        if last and not self.reason:
            text += self._closed(why)
        self.shown += len(text)
        return text

    def _piece(self, piece: str) -> str:
        """The same for some characters, whose symbols are pending."""
        if piece:
            if self.tokens + self._pending > self._most:
                return self._full()
            self.tokens, self._pending = self.tokens + self._pending, 0
        self._held += piece
        ends = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if ends:
            self.reason = "stop"
            return self._held[: min(ends)]
        safe = len(self._held) - max((_overlap(self._held, stop) for stop in self._stops), default=0)
        text, self._held = self._held[:safe], self._held[safe:]
        return text

    def _full(self) -> str:
        self.reason = "length"
        return self._held

    def _closed(self, reason: Reason) -> str:
        """What was held, at the end of all symbols."""
        text = self._piece(self._decoder.rest()) if self._pending and self.tokens + self._pending <= self._most else ""
        if not self.reason:
            text += self._held
            self.reason = "length" if self._pending else reason
        return text


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` begin `stop`."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)
