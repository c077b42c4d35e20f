"""Times with an offset: days, working days and months belong to the calendar of the place, shorter steps to UTC."""

from __future__ import annotations

import numpy as np

from aigc_models.modalities.series.step_finding import find_step
from aigc_models.reading.timestamps import Moments


def chosen(moments: Moments) -> tuple[np.ndarray, list[str]]:
    """float64 (row,): what the clock of the place showed where points are days or more apart there and as even as in UTC;
    and what there is to say of it."""
    times, local = np.unique(moments.times), np.unique(moments.local)
    if len(times) < 2 or len(local) < len(times) or np.array_equal(times, local):  # an hour of the place may come twice
        return moments.times, []
    if not find_step(local, dated=True).of_days or _unevenness(local) > _unevenness(times):
        return moments.times, []
    shown = ", ".join(map(_shown, np.unique(moments.local - moments.times).tolist()))
    note = f"times local {len(moments.times)}: days and months are those of the place, whose clock is {shown} from UTC"
    return moments.local, [note]


def _unevenness(times: np.ndarray) -> float:
    """How far times are from the steps that suit them, on average, in steps."""
    step = find_step(times, dated=True)
    place = step.index(float(times[0]), times)
    return round(float(np.abs(place - np.rint(place)).mean()), 6)


def _shown(offset: float) -> str:
    """As ISO 8601 writes an offset in seconds.

    >>> _shown(-12600.0)
    '-03:30'
    """
    minutes = int(abs(offset) // 60)
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
