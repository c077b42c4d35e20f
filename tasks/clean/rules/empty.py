"""Text of nothing but white space and characters that cannot be seen."""

from __future__ import annotations

import unicodedata

from pydantic import BaseModel, ConfigDict

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"text"})


class Settings(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def apply(item: Item, settings: Settings) -> Item | Rejected:
    return item if any(map(_seen, item.content)) else Rejected("holds nothing but white space and invisible characters")


def _seen(character: str) -> bool:
    """Controls, joiners and marks of direction are not."""
    return not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf")
