"""Division by event time: train, then validation, then test."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from aigc_models.errors import BadInput
from tasks.split.embargo import length
from tasks.split.rows import AT_ONCE, Row
from tasks.split.settings import SplitSettings


@dataclass(frozen=True)
class Times:
    """When each item happened, and when validation and test begin. As data grows the borders move on, as they must."""

    moments: np.ndarray  # float64 (item,)
    validation: float
    test: float
    embargo: float

    @classmethod
    def of(cls, rows: Iterable[Row], settings: SplitSettings) -> Times:
        """The latest fraction is the test, that before it validation; equal times stay together."""
        moments, dated = times(rows)
        validation, test = borders(moments, settings.validation, settings.test)
        return cls(moments, validation, test, length(settings.embargo, dated))

    def split(self, at: int) -> str | None:
        """Of the item at a place; None where it lies in the embargo before the next split begins."""
        moment = self.moments[at]
        if moment >= self.test:
            return "test"
        if moment >= self.validation:
            return "validation" if moment < self.test - self.embargo else None
        return "train" if moment < self.validation - self.embargo else None


def borders(moments: np.ndarray, validation: float, test: float) -> tuple[float, float]:
    """When validation and test begin; `validation` and `test` are fractions of the items."""
    if not len(moments):
        return math.inf, math.inf
    ordered = np.sort(moments)
    first_test = ordered[-max(1, math.floor(len(ordered) * test))]
    before = int(np.searchsorted(ordered, first_test))
    earlier = ordered[:before] if before else ordered
    return float(earlier[-max(1, math.floor(len(ordered) * validation)) :][0]), float(first_test)


def times(rows: Iterable[Row]) -> tuple[np.ndarray, bool]:
    """Event times as seconds, or as the plain numbers that they are, float64 (item,), and whether any is a date.

    Raises `BadInput` for one that is neither.
    """
    values, dated, left = array("d"), False, iter(rows)
    while part := list(islice(left, AT_ONCE)):
        numbers = [_number(row.time) for row in part]
        moments = _moments([row for row, number in zip(part, numbers, strict=True) if number is None])
        dated |= None in numbers
        values.extend(next(moments) if number is None else number for number in numbers)
    return np.frombuffer(values, dtype=np.float64), dated


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _moments(rows: list[Row]) -> Iterator[float]:
    if not rows:
        return
    import pandas

    dates = pandas.to_datetime([row.time or "" for row in rows], utc=True, errors="coerce", format="mixed")
    for row, moment in zip(rows, dates, strict=True):
        if pandas.isna(moment):
            problem = f"{row.source}: time {row.time!r} is neither a number nor a date"
            raise BadInput(f"{problem}; give every item a time, or split by hash")
        yield moment.timestamp()
