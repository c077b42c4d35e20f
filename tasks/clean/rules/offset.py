"""A constant that a recorder added to a sound: it cannot be heard, costs range and clicks at both ends. It is taken away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"audio"})


class Settings(BaseModel):
    """From which size on an offset is taken away."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    size: float = Field(default=0.01, description="smallest mean that is taken for an offset, of full scale", ge=0, le=1)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    """Only where the mean is also larger than a tenth of the deviation from it: a short low sound has a mean of its own."""
    values = item.content.values
    mean = values.mean(axis=1, keepdims=True, dtype=np.float64)
    offset = np.where((np.abs(mean) > settings.size) & (np.abs(mean) > 0.1 * values.std(axis=1, keepdims=True)), mean, 0.0)
    if not offset.any():
        return item
    return replace(item, content=replace(item.content, values=(values - offset).astype(np.float32)))
