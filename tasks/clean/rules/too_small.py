"""Pictures too small to show anything: spacers and tracking pixels."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"image"})


class Settings(BaseModel):
    """How small is too small."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    side: int = Field(default=4, description="fewest pixels of the shorter side", gt=0)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    height, width = item.content.shape[:2]
    if min(height, width) >= settings.side:
        return item
    return Rejected(f"is {width} x {height} pixels; the shorter side needs {settings.side}")
