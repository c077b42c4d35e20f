"""Sounds in which nothing can be heard."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"audio"})
SPAN = 0.05  # seconds


class Settings(BaseModel):
    """How quiet is silent."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    level: float = Field(default=-60.0, description="lowest level of the loudest 50 ms, in decibels under full scale", le=0)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    """The level is the root of the mean square around the mean, so that an offset is no loudness."""
    level = loudest(item.content.values, max(1, round(SPAN * item.content.rate)))
    if level >= settings.level:
        return item
    return Rejected(f"is silent: its loudest 50 ms have {level:.0f} dB, at least {settings.level:.0f} dB are asked for")


def loudest(values: np.ndarray, span: int) -> float:
    """Decibels of the loudest `span` samples of (channel, sample), which lie anywhere."""
    centred = values.astype(np.float64) - values.mean(axis=1, keepdims=True, dtype=np.float64)
    sums = np.pad(np.cumsum((centred**2).mean(axis=0)), (1, 0))
    span = min(span, values.shape[1])
    return float(10 * np.log10(max((sums[span:] - sums[:-span]).max() / span, 1e-12)))
