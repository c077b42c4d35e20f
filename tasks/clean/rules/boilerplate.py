"""Lines that web pages carry beside their text: notices on scripts, cookies and terms (Raffel et al. 2020, section 2.2).

Off by default: elsewhere such a line may be what the text is about.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"text"})
DEFAULT = False
PHRASES = ("javascript", "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
FILLERS = ("lorem ipsum",)
Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Settings(BaseModel):
    """Found in upper or lower case alike, as whole words; the lists are the paper's, for English pages."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    phrases: tuple[Phrase, ...] = Field(default=PHRASES, description="a line that holds one of these is taken out")
    fillers: tuple[Phrase, ...] = Field(default=FILLERS, description="a text that holds one of these is rejected")


def apply(item: Item, settings: Settings) -> Item | Rejected:
    """The text without such lines; rejected where none is left."""
    if settings.fillers and (match := _pattern(settings.fillers).search(item.content)):
        return Rejected(f"holds the filler {match[0].lower()!r}")
    if not settings.phrases:
        return item
    lines = item.content.splitlines(keepends=True)
    kept = [line for line in lines if not _pattern(settings.phrases).search(line)]
    if len(kept) == len(lines):
        return item
    if not "".join(kept).strip():
        return Rejected("holds nothing but notices on scripts, cookies or terms")
    return replace(item, content="".join(kept).rstrip("\r\n"))


@cache
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    pattern = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)
