"""Whether the first row of a table with separators names its columns, or is a row like the others.

A name is short, comes but once, and is no number. The first row is data where one of its cells is like the cells below it and
none is unlike them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from aigc_models.reading import timestamps
from aigc_models.reading.cells import is_number

FEWEST = 5  # rows below it that say anything
ALIKE = 0.9  # of the cells of a column
LONG = 5  # words that no name has, where those below have as many
FEW = 0.2  # different values by rows, up to which a column holds labels
NAME = 30  # characters that a name has at most


def is_data(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether it is a row like those of `rest`: all numbers or dates, or alike in a column and unlike in none."""
    if not first or not all(cell.strip() for cell in first) or _counted(first):
        return False
    if all(map(_measured, first)):
        return any(all(map(_measured, filter(str.strip, row))) for row in rest)
    columns = [[row[at].strip() for row in rest if at < len(row) and row[at].strip()] for at in range(len(first))]
    votes = [_vote(cell.strip(), below) for cell, below in zip(first, columns, strict=True) if len(below) >= FEWEST]
    return bool(votes) and min(votes) >= 0 and max(votes) > 0


def _vote(cell: str, below: Sequence[str]) -> int:
    """1 where a cell is like those below it, -1 where it is as a name is, 0 where it may be both."""
    measured = sum(map(_measured, below)) >= ALIKE * len(below)
    if measured or _measured(cell):
        return 1 if measured and _measured(cell) else -1 if measured else 0
    if len(set(below)) <= max(2, FEW * len(below)):
        return 1 if cell in below else -1
    words = median(len(text.split()) for text in below)
    if words >= LONG:
        return 1 if len(cell.split()) >= LONG else -1 if len(cell) <= NAME else 0
    return 0


def _measured(cell: str) -> bool:
    return is_number(cell) or timestamps.is_date(cell)


def _counted(first: Sequence[str]) -> bool:
    """Whether it counts columns (0, 1, 2, ...) or years, as the names of wide tables do."""
    numbers = [float(cell) for cell in first if is_number(cell)]
    apart = {right - left for left, right in pairwise(numbers)}
    return len(apart) == 1 and numbers[0].is_integer() and (apart == {1.0} or (len(numbers) > 2 and min(apart) > 0))
