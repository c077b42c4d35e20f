"""Texts, sounds, tunes and histories too short to learn from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"text", "audio", "events"})


class Settings(BaseModel):
    """How short is too short."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    characters: int = Field(default=2, description="fewest characters, without the white space around them", ge=0)
    seconds: float = Field(default=0.02, description="shortest sound (seconds)", ge=0)
    events: int = Field(default=2, description="fewest notes of a tune, or events of a history", ge=0)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    if item.modality == "audio":
        return _sound(item, settings.seconds)
    if item.modality == "events":
        return _events(item, settings.events)
    length = len(item.content.strip())
    if length >= settings.characters:
        return item
    return Rejected(f"has {length} characters; at least {settings.characters} are asked for")


def _events(item: Item, fewest: int) -> Item | Rejected:
    count, what = len(item.content), "notes" if item.content.tune else "events"
    return item if count >= fewest else Rejected(f"has {count} {what}; at least {fewest} are asked for")


def _sound(item: Item, seconds: float) -> Item | Rejected:
    if item.content.seconds >= seconds:
        return item
    count = item.content.values.shape[1]
    return Rejected(
        f"lasts {1000 * item.content.seconds:.1f} ms ({count} samples); at least {1000 * seconds:g} ms are asked for"
    )
