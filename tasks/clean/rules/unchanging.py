"""Series that never change: nothing can be learnt from them, and they have no scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydantic import BaseModel, ConfigDict

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"series"})


class Settings(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def apply(item: Item, settings: Settings) -> Item | Rejected:
    """Reject a series that is constant; leave out the channels that are, with a note."""
    content = item.content
    moving = np.ptp(content.values, axis=1) > 0
    if moving.all():
        return item
    if not moving.any():
        return Rejected(f"is constant: every value of {content.channels[0]!r} is {content.values[0, 0]:g}")
    left = tuple(name for name, here in zip(content.channels, moving, strict=True) if here)
    still = [name for name in content.channels if name not in left]
    content = replace(content, values=content.values[moving], channels=left)
    note = f"channels left out {len(still)}: {', '.join(still)}, which never change"
    return replace(item, content=content.noted(note))
