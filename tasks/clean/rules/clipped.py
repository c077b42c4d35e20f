"""Sounds that were recorded too loud: their peaks are cut off flat at full scale."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"audio"})
FULL = 0.99  # of full scale: 8 bits reach 127 / 128 upwards, but 1 downwards


class Settings(BaseModel):
    """How much clipping is let pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    share: float = Field(default=0.05, description="largest share of samples on a flat top at full scale, 0 to 1", ge=0, le=1)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    share = flat(item.content.values)
    if share <= settings.share:
        return item
    return Rejected(f"is clipped: {share:.0%} of its samples are cut off at full scale; the limit is {settings.share:.0%}")


def flat(values: np.ndarray) -> float:
    """Share of samples of (channel, sample) at full scale that equal the one before and the one after."""
    same = (values[:, 1:] == values[:, :-1]) & (np.abs(values[:, 1:]) >= FULL)
    return float((same[:, 1:] & same[:, :-1]).sum() / values.size)
