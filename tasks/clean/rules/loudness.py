"""Sounds brought to one level. Off unless it is named: how loud something was may be what is to be learnt.

The level is the root of the mean square over the whole, not a measure of hearing as in ITU-R BS.1770.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"audio"})
DEFAULT = False
ORDER = 1  # after an offset was taken away, and after what is silent or clipped was rejected as it came
PEAK = 0.99  # of full scale
SAME = 0.1  # decibels: a smaller difference is none


class Settings(BaseModel):
    """Which level, in decibels under full scale. A sound with high peaks is turned up as far as they allow."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    level: float = Field(default=-20.0, description="root of the mean square, in decibels under full scale", le=0)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    values = item.content.values.astype(np.float64)
    root, peak = float(np.sqrt((values**2).mean())), float(np.abs(values).max())
    if not root:
        return item
    gain = min(10 ** (settings.level / 20) / root, PEAK / peak)
    if abs(20 * np.log10(gain)) < SAME:
        return item
    return replace(item, content=replace(item.content, values=(values * gain).astype(np.float32)))
