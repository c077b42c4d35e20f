"""Content without any: a picture of one colour, a line of dashes, a sound of one level."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"text", "image", "audio"})


class Settings(BaseModel):
    """From which size on a text of one repeated character is thrown out."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    characters: int = Field(default=4, description="length from which on one repeated character counts", gt=0)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    if item.modality == "text":
        used = "".join(item.content.split())
        if len(used) >= settings.characters and len(set(used)) == 1:
            return Rejected(f"is the one character {used[0]!r} repeated")
    elif item.modality == "audio":
        if (item.content.values == item.content.values[:, :1]).all():
            return Rejected("is one level all over")
    elif item.content.size and all((part == part[:1, :1]).all() for part in (item.content[:1], item.content)):
        return Rejected("is one colour all over")  # the first line says no of nearly all
    return item
