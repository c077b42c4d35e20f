"""Items that would cost more than they teach: huge texts and pictures."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"text", "image"})
ORDER = -2  # before any rule has looked through all of it


class Settings(BaseModel):
    """How large is too large. Pictures above 50 million pixels are not even decoded."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    characters: int = Field(default=1_000_000, description="most characters of a text", gt=0)
    pixels: int = Field(default=50_000_000, description="most pixels of a picture, as it is decoded", gt=0)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    if item.modality == "text":
        size, limit, unit = len(item.content), settings.characters, "characters"
    else:
        size, limit, unit = item.content.shape[0] * item.content.shape[1], settings.pixels, "pixels"
    return item if size <= limit else Rejected(f"has {size:,} {unit}; the limit is {limit:,}")
