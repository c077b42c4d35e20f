"""Words that the user does not want, such as a list of insults. Off unless a list is given; none comes with this."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from aigc_models.errors import BadInput
from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"text"})
DEFAULT = False
PLACEHOLDER = "[WORD]"
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Settings(BaseModel):
    """Words or phrases, found whole and in upper or lower case alike. A file's words count as if they stood here."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    words: tuple[Word, ...] = Field(
        description="the words; or `file`: path of a UTF-8 text with one on each line", min_length=1
    )
    action: Literal["reject", "mask"] = Field(
        default="reject", description=f"reject the item, or put {PLACEHOLDER} in their place"
    )
    most: int = Field(default=0, description="how many a text may hold before it is rejected", ge=0)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, values: Any) -> Any:
        """With its words in the settings, a file that changed has the data cleaned again."""
        if not isinstance(values, dict) or "file" not in values:
            return values
        rest = {name: value for name, value in values.items() if name != "file"}
        return rest | {"words": (*rest.get("words", ()), *words_of(Path(values["file"])))}


def words_of(path: Path) -> list[str]:
    """The lines of a file without those that are empty; raises `BadInput` if it cannot be read or holds none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"word list {path}: {error}; give a UTF-8 text file with one word on each line") from error
    words = [word for line in lines if (word := line.strip())]
    if not words:
        raise BadInput(f"word list {path} holds no word; put one on each line")
    return words


def apply(item: Item, settings: Settings) -> Item | Rejected:
    """A reason counts the words and does not repeat them."""
    masked, count = _pattern(settings.words).subn(PLACEHOLDER, item.content)
    if settings.action == "mask":
        return replace(item, content=masked) if count else item
    if count <= settings.most:
        return item
    return Rejected(f"holds {count} of the words in the list; at most {settings.most} may be")


@cache
def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """The longest first, so that a phrase is found before a word in it; any white space between its words."""
    ordered = sorted(set(words), key=lambda word: (-len(word), word))
    pattern = "|".join(r"\s+".join(map(re.escape, word.split())) for word in ordered)
    return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)
