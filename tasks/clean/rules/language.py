"""Texts in other languages than those that are wanted (py3langid). Off unless it is set: which are, the data set decides."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tasks.clean.clean import Item, Rejected

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

MODALITIES = frozenset({"text"})
DEFAULT = False
NONE = "zxx"  # ISO 639-2: no linguistic content, such as numbers and markup
LOOKED_AT = 5000  # characters: more do not change the answer, and take time


class Settings(BaseModel):
    """Which languages are wanted, and from when on an answer is believed. What cannot be told passes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    languages: tuple[str, ...] = Field(description="ISO 639 codes, such as en, de, zh", min_length=1)
    confidence: float = Field(default=0.9, description="lowest probability at which a language is believed, 0 to 1", ge=0, le=1)
    characters: int = Field(default=20, description="fewest characters of a text that is judged", ge=1)

    @field_validator("languages")
    @classmethod
    def _check_languages(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        codes = sorted(_identifier().labels)
        for language in languages:
            if language not in codes:
                raise ValueError(f"{language!r} is no language that can be told; known: {', '.join(codes)}")
        return languages


def apply(item: Item, settings: Settings) -> Item | Rejected:
    text = item.content.strip()
    if len(text) < settings.characters:
        return item
    language, confidence = _identifier().classify(text[:LOOKED_AT])
    if confidence < settings.confidence or language in (*settings.languages, NONE):
        return item
    return Rejected(f"is in {language} ({confidence:.0%} sure); wanted are {', '.join(settings.languages)}")


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
