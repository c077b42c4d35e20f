"""Points as they came, in any order, repeated, missing or at uneven times, as a series at regular steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aigc_models.errors import Unreadable
from aigc_models.modalities.series import local_calendar
from aigc_models.modalities.series.gaps import LONGEST_GAP
from aigc_models.modalities.series.series import Series
from aigc_models.modalities.series.step_finding import find_step, of_weeks, weekends
from aigc_models.reading.durations import plain, spoken
from aigc_models.reading.steps import MONTH, SECONDS, Step, stamps
from aigc_models.reading.timestamps import Moments

MOST_STEPS = 5_000_000
MOST_VALUES = 25_000_000  # steps times channels: 200 MB, which are held a few times over
LATEST = 9e15  # from here on a float leaves out whole numbers
SNAP = 0.2  # of a step, by which nearly all times may be off to be moved to the nearest
NEARLY_ALL = 0.98


def regular(moments: Moments, values: np.ndarray, names: Sequence[str]) -> Series:
    """`values` float64 (channel, row) at these times; raises `Unreadable` where no regular series comes of it."""
    (times, local), dated = local_calendar.chosen(moments), moments.dated
    if np.abs(times).max() > LATEST:
        raise Unreadable(f"the time {times[np.abs(times).argmax()]:g} is beyond {LATEST:g}, where times cannot be told apart")
    times, values, notes = _merged(*_sorted(times, values), names, dated)
    notes += local
    if len(times) < 2:
        raise Unreadable("holds one point; at least two different times are needed to tell the step")
    step = find_step(times, dated)
    start = _start(times, step)
    place = step.index(start, times)
    if place[-1] >= MOST_STEPS:
        raise Unreadable(f"would have {place[-1]:,.0f} steps of {step}; the limit is {MOST_STEPS:,}: are all times right?")
    if (place[-1] + 1) * len(values) > MOST_VALUES:
        counted = f"{place[-1] + 1:,.0f} steps of {step} in {len(values):,} channels"
        raise Unreadable(f"would have {counted}; the limit is {MOST_VALUES:,} values: are all times right?")
    fiscal = dated and of_weeks(times)
    nearest = _in_turn(times) if fiscal else np.rint(place).astype(np.int64)
    off = np.abs(place - nearest)
    if not fiscal and np.quantile(off, NEARLY_ALL) > SNAP:
        return _interpolated(times, values, Series(np.zeros((len(names), 0)), tuple(names), start, str(step), tuple(notes)))
    if off.max() > 1e-4:
        furthest = off.max() * step.seconds
        by = spoken(furthest) if dated else plain(furthest, 3)
        notes.append(f"times moved {int((off > 1e-4).sum())}: to the nearest step, by {by} at most")
    if step.unit == "B":
        notes.append(f"weekends left out {weekends(times)}: its steps are working days")
    return Series(_placed(values, nearest), tuple(names), start, str(step), tuple(notes))


def _in_turn(times: np.ndarray) -> np.ndarray:
    """int64 (time,): the places of months of whole weeks, which drift against the calendar's."""
    return np.concatenate(([0], np.cumsum(np.rint(np.diff(times) / MONTH)))).astype(np.int64)


def _start(times: np.ndarray, step: Step) -> float:
    """The first time; where times are not quite even, the whole hour (or minute, ...) near it if all lie near such ones."""
    first = float(times[0])
    if step.unit in ("MS", "ME"):
        return _first_month(first, times, step)
    if step.unit not in SECONDS or (np.abs(step.index(first, times) % 1) < 1e-4).all():
        return first
    whole = round(first / step.seconds) * step.seconds
    place = step.index(whole, times)
    return whole if np.quantile(np.abs(place - np.rint(place)), NEARLY_ALL) <= SNAP else first


def _first_month(first: float, times: np.ndarray, step: Step) -> float:
    """The day of the month that all share, or where these are the first working days and the like, the first or last day."""
    place = step.index(first, times)
    if (np.abs(place - np.rint(place)) < 1e-4).all():
        return first
    day = np.datetime64(int(first // 86400), "D").astype("datetime64[M]").astype("datetime64[D]")
    return float(step.times(float(day.astype(np.int64)) * 86400 + first % 86400, np.array([0]))[0])


def _sorted(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """In order of time, rows of equal times as they came; and how many rows came after a later one."""
    late = int((times < np.maximum.accumulate(times)).sum())
    if not late:
        return times, values, 0
    order = np.argsort(times, kind="stable")
    return times[order], values[:, order], late


def _merged(
    times: np.ndarray, values: np.ndarray, late: int, names: Sequence[str], dated: bool
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Rows of equal times as one: those that agree, and those of the hour that a clock set back repeats."""
    fresh = np.concatenate(([True], np.diff(times) > 0))
    if fresh.all():
        return times, values, [f"rows sorted {late}: they came after later ones"] if late else []
    group = np.cumsum(fresh) - 1
    means = _group_means(values, group)
    apart = np.abs(values - means[:, group])
    conflicts = np.unique(group[(apart > 1e-9 * np.maximum(1, np.abs(means[:, group]))).any(axis=0)])
    unique = times[fresh]
    turned = dated and _clock_back(unique[conflicts], np.bincount(group)[conflicts])
    if len(conflicts) and not turned:
        raise Unreadable(_conflict(times, values, group, int(conflicts[0]), names, dated))
    notes = []
    merged = len(times) - len(unique) - len(conflicts)
    late = max(0, late - len(conflicts))
    if late:
        notes.append(f"rows sorted {late}: they came after later ones")
    if merged:
        notes.append(f"rows merged {merged}: they repeat a time with the same values")
    if len(conflicts):
        days = ", ".join(sorted({stamp[:10] for stamp in stamps(unique[conflicts], True)})[:6])
        notes.append(f"rows averaged {len(conflicts)}: in the hour that a clock set back repeats ({days})")
    return unique, means, notes


def _group_means(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """float64 (channel, group): means of the finite values, NaN where there is none."""
    means = []
    for row in values:
        finite = np.isfinite(row)
        count = np.bincount(group, finite, group[-1] + 1)
        total = np.bincount(group, np.where(finite, row, 0.0), group[-1] + 1)
        means.append(np.where(count > 0, total / np.maximum(count, 1), np.nan))
    return np.array(means).reshape(len(values), int(group[-1]) + 1)


def _clock_back(times: np.ndarray, counts: np.ndarray) -> bool:
    """Whether repeated times are an hour of one Sunday night a year, twice: a local clock that was set back."""
    days = np.floor(times / 86400).astype(np.int64)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    years = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
    hours = np.floor(times % 86400 / 3600)
    nights = len(set(zip(years.tolist(), days.tolist(), hours.tolist(), strict=True))) == len(set(years.tolist()))
    return bool(nights and (counts == 2).all() and ((days + 3) % 7 == 6).all() and (hours <= 3).all()
                and np.isin(months, (3, 4, 9, 10, 11)).all())  # fmt: skip


def _conflict(times: np.ndarray, values: np.ndarray, group: np.ndarray, which: int, names: Sequence[str], dated: bool) -> str:
    rows = np.flatnonzero(group == which)
    cells = values[:, rows]
    channel = int(np.argmax(np.nanmax(cells, axis=1) - np.nanmin(cells, axis=1)))
    shown = " and ".join(f"{value:g}" for value in cells[channel, :2])
    stamp = stamps(times[rows[:1]], dated)[0]
    return (
        f"the time {stamp} stands in {len(rows)} rows with different values ({shown} in {names[channel]!r}); "
        "keep one of them, or say with --group which column tells several series apart"
    )


def _placed(values: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """float64 (channel, step): points at their steps, NaN between; those that share a step are averaged."""
    steps = int(nearest[-1]) + 1
    if len(nearest) == steps:
        return values
    fresh = np.concatenate(([True], np.diff(nearest) > 0))
    if not fresh.all():
        values, nearest = _group_means(values, np.cumsum(fresh) - 1), nearest[fresh]
    grid = np.full((len(values), steps), np.nan)
    grid[:, nearest] = values
    return grid


def _interpolated(times: np.ndarray, values: np.ndarray, empty: Series) -> Series:
    """Uneven points on an even grid, linearly; NaN between points that are too far apart."""
    step = Step.parse(empty.step)
    count = int(np.floor(step.index(empty.start, times[-1:])[0] + 1e-6)) + 1
    grid = step.times(empty.start, np.arange(count))
    resampled = np.full((len(values), count), np.nan)
    for row, channel in zip(resampled, values, strict=True):
        finite = np.isfinite(channel)
        at, level = times[finite], channel[finite]
        if len(at) > 1:
            row[:] = np.interp(grid, at, level, left=np.nan, right=np.nan)
            after = np.clip(np.searchsorted(at, grid), 1, len(at) - 1)
            row[(at[after] - at[after - 1] > (LONGEST_GAP + 1) * step.seconds) & ~np.isin(grid, at)] = np.nan
    apart = np.diff(times)
    shown = [spoken(size) if empty.dated else plain(size) for size in (apart.min(), apart.max(), step.seconds)]
    note = f"steps interpolated {count}: times were {shown[0]} to {shown[1]} apart, now {shown[2]}"
    return Series(resampled, empty.channels, empty.start, empty.step, empty.notes).noted(note)
