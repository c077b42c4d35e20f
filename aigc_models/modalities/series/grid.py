"""Points as they came, in any order, repeated, missing or at uneven times, as a series at regular steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aigc_models.errors import Unreadable
from aigc_models.modalities.series.gaps import LONGEST_GAP
from aigc_models.modalities.series.series import Series
from aigc_models.reading.steps import SECONDS, Step, stamps

MOST_STEPS = 5_000_000
MOST_VALUES = 25_000_000  # steps times channels: 200 MB, which are held a few times over
LATEST = 9e15  # from here on a float leaves out whole numbers
CLOSEST = 1e-6  # seconds, or of a plain number
SNAP = 0.2  # of a step, by which nearly all times may be off to be moved to the nearest
NEARLY_ALL = 0.98
EVEN = [count * SECONDS[unit] for unit, counts in (("s", (1, 2, 5, 10, 15, 20, 30)), ("min", (1, 2, 5, 10, 15, 20, 30)))
        for count in counts] + [SECONDS["h"] * hours for hours in (1, 2, 3, 4, 6, 8, 12, 24, 168)]  # fmt: skip


def regular(times: np.ndarray, values: np.ndarray, names: Sequence[str], dated: bool) -> Series:
    """`times` float64 (row,), `values` float64 (channel, row); raises `Unreadable` where no regular series comes of it."""
    if np.abs(times).max() > LATEST:
        raise Unreadable(f"the time {times[np.abs(times).argmax()]:g} is beyond {LATEST:g}, where times cannot be told apart")
    times, values, notes = _merged(*_sorted(times, values), names, dated)
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
    nearest = np.rint(place).astype(np.int64)
    off = np.abs(place - nearest)
    if np.quantile(off, NEARLY_ALL) > SNAP:
        return _interpolated(times, values, Series(np.zeros((len(names), 0)), tuple(names), start, str(step), tuple(notes)))
    if off.max() > 1e-4:
        moved = int((off > 1e-4).sum())
        unit = " s" if dated else ""
        notes.append(f"times moved {moved}: to the nearest step, by {off.max() * step.seconds:.3g}{unit} at most")
    if step.unit == "B":
        notes.append(f"weekends left out {_weekends(times)}: its steps are working days")
    return Series(_placed(values, nearest), tuple(names), start, str(step), tuple(notes))


def _start(times: np.ndarray, step: Step) -> float:
    """The first time; where times are not quite even, the whole hour (or minute, ...) near it if all lie near such ones."""
    first = float(times[0])
    if step.unit not in SECONDS or (np.abs(step.index(first, times) % 1) < 1e-4).all():
        return first
    whole = round(first / step.seconds) * step.seconds
    place = step.index(whole, times)
    return whole if np.quantile(np.abs(place - np.rint(place)), NEARLY_ALL) <= SNAP else first


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
    if share < 0.5:
        usual = _even(float(np.median(apart)))
    return Step(1.0, "B") if usual == 86400 and _working_days(times) else Step.of_seconds(usual)


def _even(seconds: float) -> float:
    """The nearest usual step if one is within a tenth, or else whole seconds."""
    near = min(EVEN, key=lambda step: abs(step - seconds))
    return near if abs(near - seconds) <= 0.1 * seconds else max(round(seconds), 1) if seconds >= 1 else seconds


def _months(times: np.ndarray, apart: np.ndarray) -> Step | None:
    """A step of calendar months, where all times are the same day of a month, or the last."""
    if apart.min() < 28 * 86400 or len(set((times % 86400).tolist())) > 1:
        return None
    days = np.floor(times / 86400).astype(np.int64).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    of_month = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    last = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    if not (of_month == np.minimum(of_month.max(), last)).all():
        return None
    sizes, counts = np.unique(np.diff(months.astype(np.int64)), return_counts=True)
    return Step(float(sizes[counts.argmax()]), "ME" if (of_month == last).all() else "MS")


def _working_days(times: np.ndarray) -> bool:
    """Whether daily points leave out the weekends, and little else."""
    days = np.floor(times / 86400).astype(np.int64)
    weekday = (days + 3) % 7
    spanned = np.busday_count(*(np.array([days[0], days[-1] + 1]).astype("datetime64[D]"))) if len(days) else 0
    return bool((weekday < 5).all() and days[-1] - days[0] > len(days) - 1 and len(days) >= 0.8 * spanned and _weekends(times))


def _weekends(times: np.ndarray) -> int:
    """How many weekends lie between the first and the last time."""
    days = np.floor(times[[0, -1]] / 86400).astype(np.int64)
    return int((days[1] + 3) // 7 - (days[0] + 3) // 7)


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
    unit = " s" if empty.dated else ""
    note = f"steps interpolated {count}: times were {apart.min():.4g} to {apart.max():.4g}{unit} apart, now {empty.step}"
    return Series(resampled, empty.channels, empty.start, empty.step, empty.notes).noted(note)
