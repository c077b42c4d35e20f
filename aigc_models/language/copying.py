"""A text on its way, held against the training data: where it repeats a run of it, it goes back to before the run."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from aigc_models.fingerprints.winnowing import NUMBER, PIECE, RUN, TrainingRuns, code, hashes, within

STRIDE = 16  # symbols that are drawn between two looks
REDRAWS = 16  # times that a text goes back, at most


class Decodes(Protocol):
    """Symbols to text, as `modalities.text.Decoder`."""

    def add(self, symbol: int) -> str: ...


class Watch:
    """What was drawn of a text so far, without its prompt: what a prompt brings is not the model's."""

    def __init__(self, runs: TrainingRuns, decoder: Callable[[], Decodes], prompt: Callable[[], str]) -> None:
        """`prompt`: the text of the prompt; runs that it holds may be said again."""
        self._runs, self._new, self._prompt = runs, decoder, prompt
        self._decoder, self._text, self._ends, self._read = decoder(), "", list[int](), 0

    def add(self, symbol: int) -> None:
        """A symbol that was drawn, no END."""
        self._text += self._decoder.add(symbol)
        self._ends.append(len(self._text))

    def repeat(self) -> int | None:
        """How many symbols stand before the first run of `RUN` characters, or the first rare number, that the training data
        hold too; None: there is none.

        It tells some runs from `PIECE` characters on, and all of them before they are longer than `RUN`.
        """
        number = self._number()
        begin = max(0, self._read - PIECE + 1)
        pieces = hashes(self._text[begin:])
        self._read = len(self._text)
        held = np.flatnonzero(self._runs.hold(pieces))
        if len(held):
            held = held[~np.isin(pieces[held], hashes(self._prompt()))]
        places = [begin + int(held[0]) + PIECE - RUN] if len(held) else []
        places += [] if number is None else [number]
        return self._whole(min(places)) if places else None

    def _number(self) -> int | None:
        """Where the first digits begin that hold a rare number, at the end of what was looked at or behind it."""
        if not self._runs.numbers:
            return None
        for digits in NUMBER.finditer(self._text, max(0, self._read - RUN)):
            rare = (part for part in within(digits[0]) if code(part) in self._runs.numbers)
            if any(part not in self._prompt() for part in rare):
                return digits.start()
        return None

    @property
    def safe(self) -> int:
        """Symbols that stand, whatever follows: a run that ends behind what was looked at begins behind them."""
        return self._whole(self._read - RUN + 1)

    def back(self, symbols: Sequence[int]) -> None:
        """Go on from these symbols, the first of those that were added."""
        self._decoder, self._text, self._ends = self._new(), "", []
        for symbol in symbols:
            self.add(symbol)
        self._read = len(self._text)

    def before(self, symbols: Sequence[int], end: int) -> list[int]:
        """Of a whole text, END or none behind it, the symbols before its first repeat; all of them where it has none."""
        self.back([symbol for symbol in symbols if symbol != end])
        self._read = 0
        kept = self.repeat()
        return list(symbols) if kept is None else list(symbols[:kept])

    def _whole(self, characters: int) -> int:
        """The symbols of at most the first `characters`, none of a character that is not complete."""
        end = self._ends[at - 1] if characters > 0 and (at := bisect_right(self._ends, characters)) else 0
        return bisect_left(self._ends, end) + 1 if end else 0
