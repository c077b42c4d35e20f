"""Series too short to learn from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"series"})


class Settings(BaseModel):
    """How short is too short."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: int = Field(default=10, description="fewest steps of a series", gt=0)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    steps = item.content.steps
    return item if steps >= settings.steps else Rejected(f"has {steps} points; at least {settings.steps} are asked for")
