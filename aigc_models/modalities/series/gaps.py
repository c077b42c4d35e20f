"""Missing steps: short gaps are filled in, at long ones a series is cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aigc_models.modalities.series.series import Series
from aigc_models.reading.steps import stamps

LONGEST_GAP = 24  # steps that are filled in


def gaps(missing: np.ndarray) -> list[tuple[int, int]]:
    """First and end of each run of True in bool (time,).

    >>> gaps(np.array([True, False, True, True]))
    [(0, 1), (2, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False])).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def filled(series: Series, longest: int) -> Series:
    """Gaps of up to `longest` steps filled linearly, in each channel; what is missing at either end is left out."""
    series = _trimmed(series)
    values, runs = series.values.copy(), []
    at = np.arange(series.steps)
    for row in values:
        finite = np.isfinite(row)
        short = [run for run in gaps(~finite) if run[1] - run[0] <= longest and run[0] > 0 and run[1] < series.steps]
        for first, end in short:
            row[first:end] = np.interp(at[first:end], at[finite], row[finite])
        runs += short
    if not runs:
        return series
    sizes = [end - first for first, end in runs]
    clock = sum(_clock_forward(series, first, end) for first, end in runs)
    forward = f", {clock} of them an hour that a clock set forward leaves out" if clock else ""
    note = f"values filled {sum(sizes)}: linearly, in {len(sizes)} gaps, the longest {max(sizes)} steps{forward}"
    return replace(series, values=values).noted(note)


def _clock_forward(series: Series, first: int, end: int) -> bool:
    """Whether a gap is one hour in a spring night from Saturday to Monday: a local clock that was set forward."""
    begin, stop = series.time(first), series.time(end)
    if series.step.endswith(("MS", "ME", "B")) or series.step[-1:].isdigit() or stop - begin != 3600:
        return False
    day = np.datetime64(int(begin // 86400), "D")
    month, weekday = int(day.astype("datetime64[M]").astype(int)) % 12 + 1, (int(day.astype(int)) + 3) % 7
    return month in (3, 4, 9, 10, 11) and weekday == 6 and begin % 86400 <= 3 * 3600


def _trimmed(series: Series) -> Series:
    """Without the steps at both ends at which a channel has no value yet, or none any more."""
    finite = np.isfinite(series.values)
    finite = finite[finite.any(axis=1)]  # a channel that is missing altogether is another rule's work
    if not finite.size:
        return series
    first = int(finite.argmax(axis=1).max())
    end = series.steps - int(finite[:, ::-1].argmax(axis=1).max())
    if (first, end) == (0, series.steps) or first >= end:
        return series
    note = f"steps left out {series.steps - (end - first)}: at the ends, where a channel has no values"
    return series.part(first, end).noted(note)


def longest_stretch(series: Series) -> Series:
    """The longest part without a missing value, the later of two that are equal."""
    runs = gaps(np.isfinite(series.values).all(axis=0))
    if not runs:
        return series.part(0, 0)
    first, end = max(reversed(runs), key=lambda run: run[1] - run[0])
    if (first, end) == (0, series.steps):
        return series
    bounds = stamps(series.times()[[first, end - 1]], series.dated)
    note = f"steps cut off {series.steps - (end - first)}: by gaps too long to fill in; {bounds[0]} to {bounds[1]} is left"
    return series.part(first, end).noted(note)
