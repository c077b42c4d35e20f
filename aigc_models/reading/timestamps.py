"""Written times as numbers: dates in one format as seconds since 1970 (UTC), plain numbers as they are.

A time without an offset is taken as it stands, as UTC; one with an offset is brought to UTC, and what the clock showed there
is kept beside it.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from aigc_models.errors import Unreadable
from aigc_models.reading import zones
from aigc_models.reading.cells import is_number

MOST = 0.9  # of the cells of a column, which say what it holds
_YEAR, _DAY = r"(?P<y>\d{4}|\d{2})", r"(?P<d>\d{1,2})"
_MONTH = r"(?P<m>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_SHAPES = {  # by the name that a message gives them
    "year-month-day": rf"(?P<y>\d{{4}})(?P<s>[-/. ])(?P<m>\d{{1,2}})(?P=s){_DAY}",
    "numbers": rf"(?P<first>\d{{1,2}})(?P<s>[-/. ])(?P<second>\d{{1,2}})(?P=s){_YEAR}",
    "day month year": rf"{_DAY}(?P<s>[-/. ]?){_MONTH}(?P=s){_YEAR}",
    "month day, year": rf"{_MONTH}(?P<s>[-/. ]){_DAY},?[-/. ]{_YEAR}",
    "year-month": r"(?:FY)?(?P<y>\d{4})(?:[-/. ]?[MP]|[-/.])(?P<m>\d{1,2})",
    "year-week": r"(?P<y>\d{4})-?W(?P<w>\d{2})(?:-?(?P<weekday>[1-7]))?",
    "month/year": r"(?P<m>\d{1,2})[-/.](?P<y>\d{4})",
    "month year": rf"{_MONTH}[-/ ]?{_YEAR}",
    "year quarter": r"(?:FY)?(?P<y>\d{4})[-/ ]?Q(?P<q>[1-4])",
    "quarter year": r"Q(?P<q>[1-4])[-/ ]?(?P<y>\d{4})",
}
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*[.,]{0,2} +)?"
_CLOCK = (
    r"(?:(?:T|,? +)(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second_>\d{2})(?P<rest>[.,]\d+)?)?|(?<=T\d\d))"
    r" ?(?P<half>[AaPp][Mm])?)?"
    rf"(?: ?(?P<zone>{zones.PATTERN}))?(?: ?\[{zones.PLACE}\]| {zones.PLACE})?"
)
_PATTERNS = {name: re.compile(_WEEKDAY + shape + _CLOCK, re.IGNORECASE) for name, shape in _SHAPES.items()}
_PARTS = ("y", "m", "d", "q", "w", "weekday", "first", "second")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
EPOCHS = {1.0: (1e8, 5e9), 1e3: (1e11, 5e12), 1e6: (1e14, 5e15), 1e9: (1e17, 5e18)}  # units of a second: range of values
LEAP = 59.999  # where the second 60 of a minute is put: before the minute that follows, in which there is another point


@dataclass(frozen=True)
class Moments:
    """Times float64 (row,): seconds since 1970 (UTC) where `dated`, else plain numbers; `local` as the clock showed them."""

    times: np.ndarray
    local: np.ndarray
    dated: bool


def is_date(text: str) -> bool:
    """Whether one cell alone looks like a date in any of the formats; a plain number does not."""
    return not is_number(text) and any(pattern.fullmatch(text.strip()) for pattern in _PATTERNS.values())


def moments(texts: Sequence[str]) -> tuple[np.ndarray, bool]:
    """The times of `read`, and whether they are dates."""
    parsed = read(texts)
    return parsed.times, parsed.dated


def read(texts: Sequence[str]) -> Moments:
    """Written times, all alike; raises `Unreadable` with the row (from 1) and what is wrong with it."""
    texts = [text.strip() for text in texts]
    empty = next((row for row, text in enumerate(texts, start=1) if not text), None)
    if empty:
        raise Unreadable(f"row {empty} has no time")
    if all(map(is_number, texts)):
        times, dated = _numbers(texts)
        return Moments(times, times, dated)
    shape, pattern = _shape(texts)
    fields, clocks, offsets = _fields(texts, pattern)
    local = _midnights(shape, fields, texts, clocks - offsets) + clocks
    return Moments(local - offsets, local, True)


def _midnights(shape: str, fields: dict[str, np.ndarray], texts: Sequence[str], clocks: np.ndarray) -> np.ndarray:
    """Seconds since 1970 at the beginning of each row's day."""
    years = _whole(fields["y"])
    if shape == "numbers":
        return _days(*_day_first(years, fields["first"], fields["second"], texts, clocks), texts)
    if shape == "year-week":
        return _of_weeks(years, fields["w"], fields["weekday"], texts)
    months = fields["q"] * 3 - 2 if "q" in fields else fields["m"]
    return _days(years, months, fields.get("d", np.ones_like(years)), texts)


def _of_weeks(years: np.ndarray, weeks: np.ndarray, weekdays: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """The Mondays, or the days named, of weeks as ISO 8601 counts them: 4 January is in the first."""
    fourth = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) + 3
    days = fourth - (fourth + 3) % 7 + 7 * (weeks - 1) + weekdays - 1
    valid = (weeks >= 1) & (weeks <= 53)
    if not valid.all():
        raise Unreadable(f"{_row(texts, int(np.argmin(valid)))} is no week of the calendar")
    return days * 86400.0


def _numbers(texts: Sequence[str]) -> tuple[np.ndarray, bool]:
    values = np.array(texts, dtype=np.float64)
    if not np.isfinite(values).all():
        raise Unreadable(f"{_row(texts, int(np.flatnonzero(~np.isfinite(values))[0]))} is no time")
    lengths = {len(text) if text.isdigit() else 0 for text in texts}
    return of_numbers(values, lengths.pop() if len(lengths) == 1 else 0)


def of_numbers(values: np.ndarray, digits: int) -> tuple[np.ndarray, bool]:
    """Days as 20160701, months as 201607, seconds (or thousandths and so on) since 1970; else plain numbers.

    `values` float64 (row,), `digits` how many each is written in, 0 where not all are written alike.
    """
    if digits in (8, 6):
        whole = values.astype(np.int64) * (1 if digits == 8 else 100) + (0 if digits == 8 else 1)
        years, months, days = whole // 10000, whole // 100 % 100, whole % 100
        if _valid(years, months, days).all() and (years > 1500).all() and (years < 2300).all():
            return _days(years, months, days, []), True
    for unit, (low, high) in EPOCHS.items():
        if len(values) > 1 and (values >= low).all() and (values <= high).all():
            return values / unit, True
    return values, False


def _shape(texts: Sequence[str]) -> tuple[str, re.Pattern[str]]:
    """The format in which the first row is written, as all have to be."""
    shape = next(((name, pattern) for name, pattern in _PATTERNS.items() if pattern.fullmatch(texts[0])), None)
    if not shape:
        raise Unreadable(f"{_row(texts, 0)} is neither a date nor a number; write dates as 2016-07-01 or 2016-07-01T13:00:00")
    return shape


def _fields(texts: Sequence[str], pattern: re.Pattern[str]) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """The parts of the dates, int64 (row,); seconds since midnight, and offsets from UTC in seconds, float64 (row,)."""
    columns = {name: array("q") for name in pattern.groupindex if name in _PARTS}
    clocks, offsets = array("d"), array("d")
    separator = zone = None
    for row, text in enumerate(texts):
        match = pattern.fullmatch(text)
        if row == 0 and match:
            separator, zone = match.groupdict().get("s"), bool(match["zone"])
        if not match or match.groupdict().get("s") != separator:
            raise Unreadable(f"mixed date formats: {_row(texts, 0)} and {_row(texts, row)}; write all of them alike")
        if bool(match["zone"]) != zone:
            raise Unreadable(f"mixed date formats: {_row(texts, 0)} and {_row(texts, row)}, one with an offset and one without")
        for name, column in columns.items():
            column.append(_month(match[name]) if name == "m" else int(match[name] or 1))  # the first day of a week
        clocks.append(_clock(match, texts, row))
        offsets.append(zones.offset(match["zone"]) if match["zone"] else 0.0)
    parts = {name: np.array(column, dtype=np.int64) for name, column in columns.items()}
    return parts, np.array(clocks, dtype=np.float64), np.array(offsets, dtype=np.float64)


def _day_first(
    years: np.ndarray, first: np.ndarray, second: np.ndarray, texts: Sequence[str], clocks: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Years, months and days of dates of numbers alone: what all rows allow, that runs in order, and evenly."""
    orders = {"day first": (years, second, first), "month first": (years, first, second)}
    valid = {name: order for name, order in orders.items() if _valid(*order).all()}
    if not valid:
        rows = [int(np.argmax(one > 12)) for one in (first, second)]
        raise Unreadable(
            f"mixed date formats: {_row(texts, rows[0])} has the day first, {_row(texts, rows[1])} the month; write all alike"
        )
    tests: tuple[Callable[[np.ndarray], bool], ...] = (_monotone, _steady)
    for test in tests:
        good = {name: order for name, order in valid.items() if test(_days(*order, texts) + clocks)}
        valid = good or valid
    if len(valid) > 1 and not (first == second).all():
        raise Unreadable(f"dates such as {_row(texts, 0)} can be read day first and month first; write them as 2016-07-01")
    return next(iter(valid.values()))


def _monotone(times: np.ndarray) -> bool:
    return bool((np.diff(times) >= 0).all() or (np.diff(times) <= 0).all())


def _steady(times: np.ndarray) -> bool:
    """Whether all steps are about as long as each other: months are."""
    apart = np.abs(np.diff(times))
    return len(apart) > 0 and bool(apart.max() <= 1.2 * apart.min())


def _month(text: str) -> int:
    return int(text) if text.isdigit() else MONTHS.index(text[:3].lower()) + 1


def _whole(years: np.ndarray) -> np.ndarray:
    """Years of two digits: 70 to 99 are 1970 to 1999, the rest 2000 to 2069."""
    return np.where(years >= 100, years, np.where(years >= 70, years + 1900, years + 2000))


def _valid(years: np.ndarray, months: np.ndarray, days: np.ndarray) -> np.ndarray:
    """bool (row,): whether there is such a day."""
    within = (months >= 1) & (months <= 12)
    start = ((years - 1970) * 12 + np.where(within, months, 1) - 1).astype("datetime64[M]")
    length = ((start + 1).astype("datetime64[D]") - start.astype("datetime64[D]")).astype(np.int64)
    return within & (days >= 1) & (days <= length)


def _days(years: np.ndarray, months: np.ndarray, days: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """Seconds since 1970 at midnight."""
    valid = _valid(years, months, days)
    if not valid.all():
        raise Unreadable(f"{_row(texts, int(np.argmin(valid)))} is no day of the calendar")
    start = ((years - 1970) * 12 + months - 1).astype("datetime64[M]").astype("datetime64[D]")
    return (start.astype(np.int64) + days - 1) * 86400.0


def _clock(match: re.Match[str], texts: Sequence[str], row: int) -> float:
    """Seconds since midnight; zero where a date stands alone."""
    if not match["hour"]:
        return 0.0
    hour, minute, second = int(match["hour"]), int(match["minute"] or 0), int(match["second_"] or 0)
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"].lower() == "pm")
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and minute + second > 0):
        raise Unreadable(f"{_row(texts, row)} is no time of day")
    rest = float((match["rest"] or ".0").replace(",", "."))
    return hour * 3600 + minute * 60 + (second + rest if second < 60 else LEAP)


def _row(texts: Sequence[str], row: int) -> str:
    return f"row {row + 1} ({texts[row]!r})"
