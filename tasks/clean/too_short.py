"""Text too short to learn from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tasks.cleaning import Item, Rejected

MODALITIES = frozenset({"text"})


class Settings(BaseModel):
    """How short is too short."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    characters: int = Field(default=2, description="fewest characters, without the white space around them", ge=0)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    length = len(item.content.strip())
    if length >= settings.characters:
        return item
    return Rejected(f"has {length} characters; at least {settings.characters} are asked for")
