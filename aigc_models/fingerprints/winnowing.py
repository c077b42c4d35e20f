"""Runs of characters that texts share, told by hashes: winnowing (Schleimer, Wilkerson and Aiken 2003).

Of every `WINDOW` neighbouring pieces of a training text the least hash is kept, one in six. So a run of `RUN` characters that
another text has in common with it holds a piece that was kept, wherever it lies; and what holds none shares fewer. A run that
is told so has `PIECE` characters at least. The texts themselves are not kept.

Left out is what is no text of anybody's: pieces that `COMMON` items or more hold, and those that go round in a short cycle,
such as spaces or dashes. A run of which every piece is left out is not told.

A number of `DIGITS` digits or more that fewer than `COMMON` items hold is somebody's, however short what stands around it. Of
it 24 bits of a hash are kept: enough to tell it from other numbers, and too few to find it by trying all of them, since
dozens of numbers of nine digits have the same.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

RUN, PIECE = 50, 40  # characters
WINDOW = RUN - PIECE + 1  # pieces of a run
COMMON = 11  # items, as in `memorised_share`
CYCLE = 8  # characters
AT_ONCE, IN_ORDER = 2_000_000, 16_000_000  # characters that are hashed, and hashes that are sorted, at a time
DIGITS = 8
NUMBER = re.compile(rf"[0-9]{{{DIGITS},{RUN - 1}}}")
NONE = np.uint64(2**64 - 1)
_BASE = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True)
class TrainingRuns:
    """What was kept of the training texts: `pieces` uint64 (piece,), ascending, and the `code` of each rare number."""

    pieces: np.ndarray
    numbers: frozenset[int] = frozenset()

    def hold(self, hashes: np.ndarray) -> np.ndarray:
        """Bool (piece,): which of `hashes` uint64 (piece,) were kept."""
        if not len(self.pieces):
            return np.zeros(len(hashes), dtype=bool)
        at = np.searchsorted(self.pieces, hashes)
        return np.asarray(self.pieces[np.minimum(at, len(self.pieces) - 1)] == hashes)


def kept(texts: Sequence[str]) -> TrainingRuns:
    """Of the items of a training set."""
    shared, winnowed = common(texts), [np.zeros(0, dtype=np.uint64)]
    for codes, left, _ in _parts(texts):
        values = _hashed(codes)
        values[_cyclic(codes) | (left < PIECE) | shared.hold(values)] = NONE
        least = sliding_window_view(np.append(values, np.full(WINDOW - 1, NONE)), WINDOW).min(1)
        winnowed.append(np.unique(least[left >= RUN]))
    chosen = np.unique(np.concatenate(winnowed))
    return TrainingRuns(chosen[chosen != NONE], numbers(texts))


def numbers(texts: Sequence[str]) -> frozenset[int]:
    """The codes of the numbers that few items hold."""
    holding = Counter(number for text in texts for number in set(NUMBER.findall(text)))
    return frozenset(code(number) for number, items in holding.items() if items < COMMON)


def within(digits: str) -> Iterator[str]:
    """The numbers of `DIGITS` digits or more within."""
    ends = ((start, end) for start in range(len(digits)) for end in range(start + DIGITS, len(digits) + 1))
    return (digits[start:end] for start, end in ends)


def code(number: str) -> int:
    """24 bits."""
    return int.from_bytes(hashlib.sha256(number.encode()).digest()[:3], "big")


def common(texts: Sequence[str]) -> TrainingRuns:
    """The pieces that `COMMON` items or more hold; by parts of all hashes, so that they fit in memory."""
    parts, shared = 1 + sum(map(len, texts)) // IN_ORDER, list[np.ndarray]()
    for part in range(parts):
        once = [_once(_hashed(codes), left, items, part, parts) for codes, left, items in _parts(texts)]
        values, counts = np.unique(np.concatenate([np.zeros(0, dtype=np.uint64), *once]), return_counts=True)
        shared.append(values[counts >= COMMON])
    return TrainingRuns(np.sort(np.concatenate(shared)))


def hashes(text: str) -> np.ndarray:
    """Uint64 (piece,): of the pieces of a text in order; none of one shorter than a piece."""
    return _hashed(_codes(text))[: max(0, len(text) - PIECE + 1)]


def _once(values: np.ndarray, left: np.ndarray, items: np.ndarray, part: int, parts: int) -> np.ndarray:
    """The hashes of each item, each once."""
    chosen = (left >= PIECE) & (values % np.uint64(parts) == part)
    values, items = values[chosen], items[chosen]
    order = np.argsort(values, kind="stable")  # those of one hash stay in the order of items
    values, items = values[order], items[order]
    first = np.ones(len(values), dtype=bool)
    first[1:] = (values[1:] != values[:-1]) | (items[1:] != items[:-1])
    return values[first]


def _parts(texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Codes (character,) of some texts joined, how many characters of its text are left at each, and the text's number."""
    part, size, first = list[str](), 0, 0
    for number, text in enumerate(texts):
        part.append(text)
        size += len(text)
        if size >= AT_ONCE or number == len(texts) - 1:
            sizes = np.array(list(map(len, part)))
            left = np.repeat(np.cumsum(sizes), sizes) - np.arange(size)
            yield _codes("".join(part)), left, np.repeat(np.arange(first, number + 1), sizes)
            part, size, first = [], 0, number + 1


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _hashed(codes: np.ndarray) -> np.ndarray:
    """Uint64 (character,): the hash of the piece that begins at each, by doubling; near the end of fewer characters."""
    power = (codes.astype(np.uint64) + np.uint64(1)) * _MIX
    power ^= power >> np.uint64(32)
    whole, size, covered = np.zeros(len(codes), dtype=np.uint64), 1, 0
    while covered < PIECE:
        if PIECE & size:
            whole = whole * np.uint64(pow(_BASE, size, 2**64)) + _moved(power, covered)
            covered += size
        power = power * np.uint64(pow(_BASE, size, 2**64)) + _moved(power, size)
        size *= 2
    whole ^= whole >> np.uint64(32)
    whole *= _MIX
    return whole ^ (whole >> np.uint64(29))


def _moved(values: np.ndarray, places: int) -> np.ndarray:
    moved = np.zeros_like(values)
    moved[: max(0, len(values) - places)] = values[places:]
    return moved


def _cyclic(codes: np.ndarray) -> np.ndarray:
    """Bool (character,): whether the piece that begins there goes round in `CYCLE` characters or fewer."""
    cyclic = np.zeros(len(codes), dtype=bool)
    for cycle in range(1, CYCLE + 1):
        alike = np.zeros(len(codes) + PIECE, dtype=np.int64)
        alike[: max(0, len(codes) - cycle)] = codes[cycle:] == codes[: max(0, len(codes) - cycle)]
        sums = np.concatenate([[0], np.cumsum(alike)])
        cyclic |= sums[PIECE - cycle : PIECE - cycle + len(codes)] - sums[: len(codes)] == PIECE - cycle
    return cyclic
