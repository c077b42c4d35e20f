"""Pictures of nearly one colour: a blank page, a lens cap, a sky. Those of exactly one are `constant`'s."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"image"})
ORDER = 1
LOOKED_AT = 64  # pixels in each direction: enough to know, and a large picture costs no more than a small one


class Settings(BaseModel):
    """How plain is blank."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    deviation: float = Field(
        default=2.0, description="smallest standard deviation of the strongest channel, in levels of 255", ge=0, le=255
    )


def apply(item: Item, settings: Settings) -> Item | Rejected:
    grid = looked_at(item.content)
    if spread(grid[::4]) >= 2 * settings.deviation:  # then all of it deviates by half as much at least
        return item
    deviation = spread(grid)
    if deviation >= settings.deviation:
        return item
    return Rejected(
        f"is nearly one colour: its levels deviate by {deviation:.1f} of 255; at least {settings.deviation:g} are asked for"
    )


def looked_at(content: np.ndarray) -> np.ndarray:
    """A grid of the pixels."""
    height, width = content.shape[:2]
    return content[:: -(-height // LOOKED_AT), :: -(-width // LOOKED_AT)]


def spread(content: np.ndarray) -> float:
    """The largest standard deviation of a channel of uint8 (height, width, channel)."""
    pixels = content.reshape(-1, content.shape[2])
    levels = pixels.astype(np.float32) - pixels[0]  # near nought, where squares lose nothing
    squares = np.einsum("pc,pc->c", levels, levels) / len(levels)  # a third of the time that `std` takes
    mean = np.ones(len(levels), np.float32) @ levels / len(levels)
    return float(np.sqrt(np.maximum(squares - mean**2, 0).max()))
