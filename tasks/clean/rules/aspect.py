"""Pictures that are far longer than they are wide, or the other way: lines, banners, strips of a scan."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"image"})


class Settings(BaseModel):
    """How long is too long. Models see a picture cut to one format: of a longer one little is left."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ratio: float = Field(default=10.0, description="largest ratio of the longer side to the shorter", ge=1)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    height, width = item.content.shape[:2]
    ratio = max(height, width) / min(height, width)
    if ratio <= settings.ratio:
        return item
    return Rejected(f"is {width} x {height} pixels, {ratio:.1f} to 1; the limit is {settings.ratio:g} to 1")
