"""Series beside columns of names, where nobody said what these are for: one tells the series apart, others are left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from aigc_models.errors import Unreadable
from aigc_models.reading import cells, time_columns, timestamps
from tasks.ingest.readers import headers
from tasks.ingest.readers.notices import say_once

FEWEST = 10  # rows that tell anything
WORDS = 4  # of a name, at most
OFTEN = 2  # times that each value of a column that is left out comes, on average


@dataclass(frozen=True)
class Panel:
    """A table of one series, or of one for each value of the column `apart`; what the columns `left_out` hold is no channel."""

    time: str
    apart: str | None
    left_out: tuple[str, ...]

    def say(self, file: str, channels: Sequence[str]) -> None:
        """Print what was guessed and how to say otherwise."""
        each = f", one for each {headers.shown(self.apart)}" if self.apart is not None else ""
        without = f"; left out, since it holds text: {headers.listed(self.left_out)}" if self.left_out else ""
        what = f"{file}: taken for series of {headers.listed(channels)} by {headers.shown(self.time)}{each}{without}"
        say_once(f"{what}; say otherwise with --content, --time, --group, or --modality text --content COLUMN")


def panel(columns: Mapping[str, Sequence[str]], time: str | None) -> Panel | None:
    """The layout of a table by some of its cells (`columns`, all of one length, of what is named for nothing yet), or None
    where it is not plain: where no column or several hold free text, or none tells rows of one time apart.

    `time` is the column of the time, if that is known; else it is one of numbers that is called a time and rises for each name.
    """
    names = [name for name, texts in columns.items() if name != time and not mostly(texts, cells.is_value)]
    rows = len(next(iter(columns.values()), ()))
    if not names or rows < FEWEST or any(_is_free(columns[name]) for name in names):
        return None
    numbers = [name for name in columns if name not in names and name != time]
    for candidate in [time] if time is not None else filter(time_columns.is_called_time, numbers):
        if len(numbers) > (candidate in numbers) and (chosen := _by(candidate, columns, names)):
            return chosen
    return None


def mostly(texts: Sequence[str], test: Callable[[str], bool]) -> bool:
    """Whether all but a few of the filled cells pass the test; true where none is filled."""
    filled = [text for text in texts if text.strip()]
    return sum(map(test, filled)) >= timestamps.MOST * len(filled)


def _by(time: str, columns: Mapping[str, Sequence[str]], names: Sequence[str]) -> Panel | None:
    try:
        moments = timestamps.read(columns[time]).times.tolist()
    except Unreadable:
        return None
    alone = _in_order(moments)
    apart = next((name for name in names if _is_key(columns[name], moments, alone)), None)
    rest = tuple(name for name in names if name != apart)
    if not (alone or apart is not None) or any(OFTEN * len(set(columns[name])) > len(moments) for name in rest):
        return None
    return Panel(time, apart, rest)


def _is_key(values: Sequence[str], moments: Sequence[float], alone: bool) -> bool:
    """Whether the times of each value run in order, and something is told by that: where the times of all rows do, one value
    stands for all of these.
    """
    of_each: dict[str, list[float]] = {}
    for value, moment in zip(values, moments, strict=True):
        of_each.setdefault(value, []).append(moment)
    apart = len(of_each) == 1 if alone else 1 < len(of_each) < len(moments)
    return apart and "" not in of_each and all(map(_in_order, of_each.values()))


def _in_order(moments: Sequence[float]) -> bool:
    pairs = list(pairwise(moments))
    return all(left < right for left, right in pairs) or all(left > right for left, right in pairs)


def _is_free(texts: Sequence[str]) -> bool:
    """Whether cells are texts that people write, or dates: no names. What is the same in all rows is a name, however long."""
    filled = [text for text in texts if text.strip()]
    if len(set(filled)) == 1:
        return False
    return mostly(filled, timestamps.is_date) or median(len(text.split()) for text in filled) > WORDS
