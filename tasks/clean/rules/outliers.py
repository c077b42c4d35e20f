"""Single points of a series that leap out of their surroundings (Hampel 1974). Off unless it is named: a peak may be the point.

Masked ones are missing for `gaps`, which comes next and fills them in like any others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"series"})
DEFAULT = False
ORDER = -1
NORMAL = 1.4826  # a normal distribution's standard deviation over its median absolute deviation
AT_ONCE = 100_000  # steps; bounds the memory


class Settings(BaseModel):
    """What is an outlier, and what is done with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: int = Field(default=7, description="surroundings that a point is compared with, on either side (steps)", gt=0)
    deviations: float = Field(default=5.0, description="distance from their median, in robust standard deviations", gt=0)
    action: Literal["count", "mask"] = Field(default="count", description="count: change nothing; mask: take them as missing")


def apply(item: Item, settings: Settings) -> Item | Rejected:
    content = item.content
    mask = np.stack([outliers(row, settings.steps, settings.deviations) for row in content.values])
    if not mask.any():
        return item
    marked = replace(item, noticed=(*item.noticed, "outliers"))
    if settings.action == "count":
        return marked
    note = f"outliers masked {mask.sum()}: beyond {settings.deviations:g} robust deviations of {settings.steps} steps around"
    return replace(marked, content=replace(content, values=np.where(mask, np.nan, content.values)).noted(note))


def outliers(values: np.ndarray, steps: int, deviations: float) -> np.ndarray:
    """Bool (time,). Surroundings that hardly move are measured by a quarter of the whole series' deviation at least.

    >>> outliers(np.array([1.0, 2, 1, 2, 99, 1, 2, 1, 2]), 3, 5).nonzero()[0].tolist()
    [4]
    """
    least = 0.25 * _deviation(values[None])[1][0]
    padded = np.pad(values.astype(float), steps, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * steps + 1)
    mask = np.zeros(len(values), dtype=bool)
    for first in range(0, len(values), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        median, deviation = _deviation(windows[part])
        scale = np.maximum(deviation, least)
        mask[part] = (scale > 0) & (np.abs(values[part] - median) > deviations * scale)
    return mask


def _deviation(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and robust standard deviation of each row of (window, step); 0 where a row holds no value."""
    empty = ~np.isfinite(windows).any(axis=1)
    values = np.where(empty[:, None], 0.0, windows)
    median = np.nanmedian(values, axis=1)
    return median, NORMAL * np.nanmedian(np.abs(values - median[:, None]), axis=1)
