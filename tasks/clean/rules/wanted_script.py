"""Texts in other scripts than those that are wanted. Off unless it is set: which one is wrong, the data set decides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tasks.clean.clean import Item, Rejected

if TYPE_CHECKING:
    from regex import Pattern

MODALITIES = frozenset({"text"})
DEFAULT = False


class Settings(BaseModel):
    """Which scripts are wanted. Only letters count: digits, signs and emoji belong to every script."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    scripts: tuple[str, ...] = Field(
        description="names as Unicode has them, such as Latin, Cyrillic, Han, Hiragana; some at once for a mixed text",
        min_length=1,
    )
    share: float = Field(default=0.8, description="smallest share of letters in these scripts, 0 to 1", ge=0, le=1)

    @field_validator("scripts")
    @classmethod
    def _check_scripts(cls, scripts: tuple[str, ...]) -> tuple[str, ...]:
        _letters(scripts)
        return scripts


def apply(item: Item, settings: Settings) -> Item | Rejected:
    """A text without letters passes."""
    letters = _letters(settings.scripts)
    total = len(letters.any.findall(item.content))
    wanted = len(letters.wanted.findall(item.content)) if total else 0
    if wanted >= settings.share * total:
        return item
    shares = f"{wanted / total:.0%} of its letters are {' or '.join(settings.scripts)}"
    return Rejected(f"{shares}; at least {settings.share:.0%} are asked for")


@dataclass(frozen=True)
class _Letters:
    any: Pattern[str]
    wanted: Pattern[str]


@cache
def _letters(scripts: tuple[str, ...]) -> _Letters:
    """Raises ValueError for a script that Unicode does not have."""
    import regex

    for script in scripts:
        try:
            regex.compile(rf"\p{{Script={script if script.replace('_', '').isalpha() else '-'}}}")
        except regex.error as error:
            raise ValueError(f"{script!r} is no script of Unicode; name it as Latin, Greek, Cyrillic, Arabic, Han") from error
    wanted = "".join(rf"\p{{Script={script}}}" for script in scripts)
    return _Letters(regex.compile(r"\p{L}"), regex.compile(rf"(?V1)[\p{{L}}&&[{wanted}]]"))
