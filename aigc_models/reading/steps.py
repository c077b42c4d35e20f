"""The step of a regular series: seconds, calendar months, working days, or units of a plain number."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "D": 86400.0}
MONTH = 30.436875 * 86400  # seconds, on average
CALENDAR = {"MS": MONTH, "ME": MONTH, "B": 7 / 5 * 86400}  # same day of each month, last of each month, Monday to Friday
_WORDS = {"s": "second", "min": "minute", "h": "hour", "D": "day", "MS": "month", "ME": "month", "B": "working day"}
_TEXT = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(s|min|h|D|MS|ME|B|)")


@dataclass(frozen=True)
class Step:
    """Written as `7D`, `15min`, `1MS` (a month), `12MS` (a year), `1B` (a working day), or `1` where time is a number."""

    count: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> Step:
        match = _TEXT.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is no step such as 7D, 1h, 15min, 1MS or 1")
        return cls(float(match[1]), match[2])

    @classmethod
    def of_seconds(cls, seconds: float) -> Step:
        """In the largest unit of which it is a whole number.

        >>> str(Step.of_seconds(604800)), str(Step.of_seconds(900))
        ('7D', '15min')
        """
        units = [unit for unit, size in SECONDS.items() if seconds >= size and abs(seconds / size % 1) < 1e-9]
        unit = units[-1] if units else "s"
        return cls(seconds / SECONDS[unit], unit)

    def __str__(self) -> str:
        return f"{int(self.count) if self.count.is_integer() else self.count}{self.unit}"

    @property
    def spoken(self) -> str:
        """In words: 7 days, 15 minutes, 1 month, 1 working day; a plain number as it is.

        >>> Step.parse("15min").spoken, Step.parse("1MS").spoken, Step.parse("1").spoken
        ('15 minutes', '1 month', '1')
        """
        name = _WORDS.get(self.unit, "")
        count = f"{int(self.count) if self.count.is_integer() else self.count}"
        return f"{count} {name}{'' if count == '1' else 's'}" if name else count

    @property
    def dated(self) -> bool:
        """Whether times are dates (seconds since 1970, UTC) and not plain numbers."""
        return self.unit != ""

    @property
    def of_days(self) -> bool:
        """Whether it is whole days, working days or months: these belong to the calendar of a place."""
        return self.unit == "D" or self.unit in CALENDAR

    @property
    def seconds(self) -> float:
        """How long it is on average; of a plain number, the number."""
        return self.count * (SECONDS | CALENDAR | {"": 1.0})[self.unit]

    def times(self, start: float, index: np.ndarray) -> np.ndarray:
        """float64 (step,): when the steps `index` (from 0) after `start` are."""
        index = np.asarray(index)
        if self.unit not in CALENDAR:
            return start + index * self.seconds
        day, rest = _day(start)
        if self.unit == "B":
            days = np.busday_offset(day, (index * self.count).astype(np.int64), roll="forward")
        else:
            days = self._months(day, index)
        return np.asarray(days.astype("datetime64[s]").astype(np.float64) + rest)

    def _months(self, day: np.datetime64, index: np.ndarray) -> np.ndarray:
        """The same day of later months, or their last day where they are shorter or the step counts last days."""
        months = day.astype("datetime64[M]") + (index * self.count).astype(np.int64)
        first = months.astype("datetime64[D]")
        last = (months + 1).astype("datetime64[D]") - first - 1
        offset = last if self.unit == "ME" else np.minimum(day - day.astype("datetime64[M]").astype("datetime64[D]"), last)
        return np.asarray(first + offset)

    def index(self, start: float, times: np.ndarray) -> np.ndarray:
        """float64 (time,): how many steps after `start` each time lies; the inverse of `times`."""
        times = np.asarray(times, dtype=np.float64)
        if self.unit not in CALENDAR:
            return (times - start) / self.seconds
        day, _ = _day(start)
        days = np.floor(times / 86400).astype(np.int64).astype("datetime64[D]")
        if self.unit == "B":
            near = np.busday_count(day, days) / self.count
        else:
            near = (days.astype("datetime64[M]") - day.astype("datetime64[M]")).astype(np.int64) / self.count
        whole = np.floor(near)
        reached = self.times(start, whole)
        whole = np.where(times < reached, whole - 1, whole)  # earlier in the month than the day that counts
        low, high = self.times(start, whole), self.times(start, whole + 1)
        return np.asarray(whole + (times - low) / (high - low))


def _day(start: float) -> tuple[np.datetime64, float]:
    """The day of a time, and the seconds since midnight."""
    day = int(start // 86400)
    return np.datetime64(day, "D"), start - day * 86400


def stamps(times: np.ndarray, dated: bool) -> list[str]:
    """Times as text: ISO 8601 in UTC, days alone where all are midnight, or plain numbers."""
    if not dated:
        return [repr(int(time)) if time.is_integer() else repr(time) for time in np.asarray(times, np.float64).tolist()]
    if (times % 86400 == 0).all():
        days = times.astype(np.int64).astype("datetime64[s]")
        return [str(day) for day in np.datetime_as_string(days, unit="D").tolist()]
    whole = (times % 1 == 0).all()
    moments = np.rint(times * 1000).astype(np.int64).astype("datetime64[ms]")
    return [str(moment) for moment in np.datetime_as_string(moments, unit="s" if whole else "ms").tolist()]
