"""Series with missing points: short gaps are filled in, at longer ones the longest part is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from aigc_models.modalities.series import filled, longest_stretch
from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"series"})


class Settings(BaseModel):
    """Which gaps are filled in, and how much may be missing in all."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: int = Field(default=24, description="longest gap that is filled in linearly, in steps", ge=0)
    share: float = Field(default=0.5, description="largest share of missing values, 0 to 1", ge=0, le=1)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    values = item.content.values
    present = np.isfinite(values)
    if present.all():
        return item
    alive = present.any(axis=1)  # a channel without any value is no gap
    missing = 1 - present[alive].mean() if alive.any() else 0.0
    if missing > settings.share:
        return Rejected(
            f"{missing:.0%} of its values are missing at a step of {item.content.step}; at most {settings.share:.0%} may be"
        )
    channels = tuple(name for name, here in zip(item.content.channels, alive, strict=True) if here)
    dropped = [name for name in item.content.channels if name not in channels]
    notes = (f"channels left out {len(dropped)}: {', '.join(dropped)}, without any value",) if dropped else ()
    content = replace(item.content, values=values[alive], channels=channels).noted(*notes)
    return replace(item, content=longest_stretch(filled(content, settings.steps)))
