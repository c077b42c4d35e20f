"""The step of a series: of months, of working days, or the one that most points are apart."""

from __future__ import annotations

import numpy as np

from aigc_models.errors import Unreadable
from aigc_models.reading.steps import SECONDS, Step

CLOSEST = 1e-6  # seconds, or of a plain number
NEAR_MONTH = (25, 4)  # days that monthly points are apart at least; that the first or last working days are from the border
EVEN = [count * SECONDS[unit] for unit, counts in (("s", (1, 2, 5, 10, 15, 20, 30)), ("min", (1, 2, 5, 10, 15, 20, 30)))
        for count in counts] + [SECONDS["h"] * hours for hours in (1, 2, 3, 4, 6, 8, 12, 24, 168)]  # fmt: skip


def find_step(times: np.ndarray, dated: bool) -> Step:
    """The step of float64 (time,), rising: of months, of working days, or the one that most points are apart."""
    apart = np.diff(times)
    if not len(apart):
        return Step(1.0, "D" if dated else "")
    sizes, counts = np.unique(np.round(apart, 6), return_counts=True)
    usual, share = float(sizes[counts.argmax()]), counts.max() / len(apart)
    if not max(usual, float(np.median(apart))) >= CLOSEST or (share >= 0.5 and not usual):
        raise Unreadable(f"has points less than {CLOSEST:g} apart, which is the shortest step; give times in another unit")
    if not dated:
        return Step(usual if share >= 0.5 else float(np.median(apart)), "")
    months = _months(times, apart)
    if months:
        return months
    if of_weeks(times):
        return Step(1.0, "MS" if np.datetime64(int(times[0] // 86400), "D").item().day <= 15 else "ME")
    if share < 0.5:
        usual = _even(float(np.median(apart)))
    return Step(1.0, "B") if usual == 86400 and _working_days(times) else Step.of_seconds(usual)


def _even(seconds: float) -> float:
    """The nearest usual step if one is within a tenth, or else whole seconds."""
    near = min(EVEN, key=lambda step: abs(step - seconds))
    return near if abs(near - seconds) <= 0.1 * seconds else max(round(seconds), 1) if seconds >= 1 else seconds


def _months(times: np.ndarray, apart: np.ndarray) -> Step | None:
    """A step of calendar months, where all times are the same day of a month, or the last, or the first or last working day."""
    if apart.min() < NEAR_MONTH[0] * 86400 or len(set((times % 86400).tolist())) > 1:
        return None
    days = np.floor(times / 86400).astype(np.int64).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    of_month = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    last = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    apart = np.diff(months.astype(np.int64))
    unit = _month_unit(of_month, last)
    if not unit or apart.min() < 1:
        return None
    sizes, counts = np.unique(apart, return_counts=True)
    return Step(float(sizes[counts.argmax()]), unit)


def _month_unit(of_month: np.ndarray, last: np.ndarray) -> str:
    """`ME` where days of months (from 1) are the last or near it, `MS` where all are one day or near the first; else empty."""
    if (of_month == np.minimum(of_month.max(), last)).all():
        return "ME" if (of_month == last).all() else "MS"
    if (last - of_month < NEAR_MONTH[1]).all():
        return "ME"
    return "MS" if (of_month <= NEAR_MONTH[1]).all() else ""


def of_weeks(times: np.ndarray) -> bool:
    """Whether rising times are the months of a fiscal calendar: of four or five whole weeks each, three of which are 13."""
    weeks = np.diff(times) / (7 * 86400)
    lengths = set(weeks.tolist())
    return len(weeks) > 5 and {4.0, 5.0} <= lengths and lengths <= {4.0, 5.0, 8.0, 9.0, 13.0} and (weeks == 4).mean() > 0.5


def _working_days(times: np.ndarray) -> bool:
    """Whether daily points leave out the weekends, and little else."""
    days = np.floor(times / 86400).astype(np.int64)
    weekday = (days + 3) % 7
    spanned = np.busday_count(*(np.array([days[0], days[-1] + 1]).astype("datetime64[D]"))) if len(days) else 0
    return bool((weekday < 5).all() and days[-1] - days[0] > len(days) - 1 and len(days) >= 0.8 * spanned and weekends(times))


def weekends(times: np.ndarray) -> int:
    """How many weekends lie between the first and the last time."""
    days = np.floor(times[[0, -1]] / 86400).astype(np.int64)
    return int((days[1] + 3) // 7 - (days[0] + 3) // 7)
