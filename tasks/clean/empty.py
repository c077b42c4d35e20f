"""Text of nothing but white space."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tasks.cleaning import Item, Rejected

MODALITIES = frozenset({"text"})


class Settings(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def apply(item: Item, settings: Settings) -> Item | Rejected:
    return item if item.content.replace("\ufeff", "").strip() else Rejected("holds nothing but white space")
