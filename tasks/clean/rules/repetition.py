"""Texts that repeat themselves: lines, paragraphs and runs of words (Rae et al. 2021, appendix A.1.1).

Off by default: a song, a poem, a form or a table repeats itself rightly. For pages of the web the limits are the paper's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"text"})
DEFAULT = False
Length = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """Largest shares, 0 to 1. Repeated: a later occurrence of what stood before; white space does not count."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    words: int = Field(default=50, description="fewest words of a text that is judged", ge=1)
    lines: float = Field(default=0.30, description="repeated lines, of all lines", ge=0, le=1)
    line_characters: float = Field(default=0.20, description="characters in repeated lines", ge=0, le=1)
    paragraphs: float = Field(default=0.30, description="repeated paragraphs, of all paragraphs", ge=0, le=1)
    paragraph_characters: float = Field(default=0.20, description="characters in repeated paragraphs", ge=0, le=1)
    most_frequent: dict[Length, float] = Field(
        default={2: 0.20, 3: 0.18, 4: 0.16},
        description="characters in the most frequent run of so many words, where it comes more than once",
    )
    repeated: dict[Length, float] = Field(
        default={5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10},
        description="characters in repeated runs of so many words",
    )


def apply(item: Item, settings: Settings) -> Item | Rejected:
    words = item.content.split()
    if len(words) < settings.words:
        return item
    for share, limit, what in _shares(item.content, words, settings):
        if share > limit:
            return Rejected(f"repeats itself: {share:.0%} {what}; the limit is {limit:.0%}")
    return item


def _shares(text: str, words: Sequence[str], settings: Settings) -> Iterator[tuple[float, float, str]]:
    """Each share with its limit and what it is of, cheapest first."""
    lines, paragraphs = (_pieces(border, text) for border in (r"\n+", r"\n\s*\n"))
    yield repeated_share(lines), settings.lines, "of its lines stood there before"
    yield repeated_share(lines, True), settings.line_characters, "of its characters are in lines that stood there before"
    yield repeated_share(paragraphs), settings.paragraphs, "of its paragraphs stood there before"
    what = "of its characters are in paragraphs that stood there before"
    yield repeated_share(paragraphs, True), settings.paragraph_characters, what
    sizes = np.array([len(word) for word in words])
    for length, limit in settings.most_frequent.items():
        yield most_frequent_share(words, sizes, length), limit, f"of its characters are in one run of {length} words"
    for length, limit in settings.repeated.items():
        yield repeated_run_share(words, sizes, length), limit, f"of its characters are in repeated runs of {length} words"


def _pieces(border: str, text: str) -> list[str]:
    return [stripped for piece in re.split(border, text) if (stripped := piece.strip())]


def repeated_share(pieces: Sequence[str], characters: bool = False) -> float:
    """Share of pieces that stood there before, by number or by characters.

    >>> repeated_share(["a", "b", "a", "a"])
    0.5
    """
    if len(set(pieces)) == len(pieces):
        return 0.0
    sizes = Counter({piece: len(piece) if characters else 1 for piece in pieces})
    return 1 - sizes.total() / sum(sizes[piece] for piece in pieces)


def _runs(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(length)), strict=False)


def most_frequent_share(words: Sequence[str], sizes: np.ndarray, length: int) -> float:
    """Share of characters in the run of words that fills most, of those that come more than once."""
    counts = Counter(_runs(words, length))
    filled = (count * sum(map(len, run)) for run, count in counts.items() if count > 1)
    return min(1.0, max(filled, default=0) / int(sizes.sum()))


def repeated_run_share(words: Sequence[str], sizes: np.ndarray, length: int) -> float:
    """Share of characters in runs of words that stood there before; where two overlap each counts once."""
    runs = list(_runs(words, length))
    seen: set[tuple[str, ...]] = set(runs)
    if len(seen) == len(runs):
        return 0.0
    seen.clear()
    inside = np.zeros(len(words), dtype=bool)
    for start, run in enumerate(runs):
        if run in seen:
            inside[start : start + length] = True
        seen.add(run)
    return float(sizes[inside].sum() / sizes.sum())
