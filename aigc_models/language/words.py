"""Words of a text for those who count them, with figures taken for what they say: which of two is the larger.

A figure itself hardly ever comes twice, and a count of it teaches nothing. What carries over is that there is one, and
how it compares with the one before it: 'rose to 13.1 from 8.7'.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from jaxtyping import Int
from torch import Tensor

from aigc_models.find import find
from aigc_models.sequences import Sequences

NUMBER, YEAR = "<number>", "<year>"
FURTHEST = 14  # words between two figures of the same unit that are compared
BEFORE = 8  # words before the first of them that the comparison may be about
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|\d+(?:[.,]\d+)*|[^\w\s]")
_SPLIT = re.compile(r"(?<=\d) (?=[.,]\d)")  # '13 .1', as some tokenisers leave it
_GLUED = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")  # 'EUR13', '13mn'
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_YEARS = range(1900, 2101)


@dataclass(frozen=True)
class Figure:
    """A number in a text; `place` among the words, `unit`: the words before and behind it."""

    place: int
    value: float
    unit: tuple[str, str]


def texts(values: Int[Tensor, "item time"] | Sequences, format: object) -> list[str]:
    """Symbols of the modality `text` as they were written."""
    written: list[str] = find("aigc_models.modalities", "text").decode(values, format)
    return written


def words(text: str) -> list[str]:
    """In lower case, figures and marks of punctuation among them."""
    return _WORD.findall(_GLUED.sub(" ", _SPLIT.sub("", text.lower())))


def number(word: str) -> float | None:
    """What a figure is worth: '1,234.5' and '13,1' too; None for another word."""
    if not word[0].isdecimal():
        return None
    plain = word.replace(",", "") if _THOUSANDS.fullmatch(word) else word.replace(",", ".")
    try:
        return float(plain)
    except ValueError:  # 1.2.2024
        return None


def figured(text: str) -> tuple[list[str], list[Figure]]:
    """The words with `NUMBER` and `YEAR` for figures, and the figures that are no years."""
    plain, figures, marked = words(text), list[Figure](), list[str]()
    for place, word in enumerate(plain):
        value = number(word)
        year = word.isdecimal() and value in _YEARS
        marked.append(word if value is None else YEAR if year else NUMBER)
        if value is not None and not year:
            around = plain[place - 1] if place else "", plain[place + 1] if place + 1 < len(plain) else ""
            figures.append(Figure(place, value, around))
    return marked, figures


def comparisons(marked: list[str], figures: list[Figure]) -> list[str]:
    """What each two figures that follow one another say: which is the larger, with the words between them, and with those
    before them where both have a unit."""
    said = []
    for first, second in pairwise(figures):
        sign = relation(first, second)
        said += [sign, *(f"{sign} {word}" for word in marked[first.place + 1 : second.place])]
        if first.unit[0] == second.unit[0] or first.unit[1] == second.unit[1]:
            said.append(f"same {sign}")
            if second.place - first.place < FURTHEST:
                said += [f"near {sign}", *(f"{word} {sign}" for word in marked[max(0, first.place - BEFORE) : first.place])]
    return said


def relation(first: Figure, second: Figure) -> str:
    """`>`, `<` or `=`."""
    return ">" if first.value > second.value else "<" if first.value < second.value else "="


def neighbours(words: list[str], furthest: int) -> list[str]:
    """Each word, and each with one of those behind it up to `furthest` (1: bigrams, above: skip-grams of Guthrie 2006)."""
    pairs = (
        f"{word} {distance if distance > 1 else ''}{words[at + distance]}"
        for distance in range(1, furthest + 1)
        for at, word in enumerate(words[: max(0, len(words) - distance)])
    )
    return [*words, *pairs]


def pieces(word: str, shortest: int, longest: int) -> list[str]:
    """The character n-grams of a word between its borders."""
    framed = f" {word} "
    sizes = range(shortest, longest + 1)
    return [framed[at : at + size] for size in sizes for at in range(len(framed) - size + 1)]
