"""What Project Gutenberg puts around its books: header, licence, table of contents. A model would learn the licence by heart.

On by default: each sign is one that its books alone have. Of a book that was cut into pieces, those of the licence are rejected
by their phrases.
"""

from __future__ import annotations

import re
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"text"})
ORDER = -1
NOTICED = "book matter"
ENTRIES = 3  # lines that look like chapters, behind a heading, are a table of contents
_ANY = re.compile(r"gutenberg|small print|^[ \t]*(?:table of )?contents\b|\bfoundation\b|refund|warrant", re.I | re.M)
_BEGINS = re.compile(
    r"^[^\S\n]*\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG\b.*\n?|^.*\*END\*? ?THE SMALL PRINT!.*\n?", re.M | re.I
)
_ENDS = re.compile(
    r"^[^\S\n]*\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG\b|^[^\S\n]*End of (?:the )?Project Gutenberg(?:'s)?\b", re.M | re.I
)
_MATTER = re.compile(
    r"Project Gutenberg(?:-tm|\u2122|(?:\s+(?:Literary\s+Archive\s+Foundation|Licen[cs]e|eBook|Etext|electronic\s+works?)))"
    r"|Some states do not allow disclaimers of certain implied\s+warranties"
    r"|You agree to indemnify and hold the Foundation"
    r"|LIMITED RIGHT OF REPLACEMENT OR REFUND"
    r"|LIMITED WARRANTY, DISCLAIMER OF DAMAGES",
    re.I,
)
_HEADING = re.compile(r"^[^\S\n]*(?:TABLE OF )?CONTENTS\.?[^\S\n]*\n", re.M | re.I)
_ENTRY = re.compile(
    r"[^\S\n]*(?:(?:CHAPTER|BOOK|PART|ACT|SCENE|LETTER|VOLUME|CANTO)\b.{0,90}|[IVXLC]{1,7}\.?[^\S\n].{1,90}|\d{1,3}\.[^\S\n].{1,90}"
    r"|.{1,80}?(?:\.{3,}|[^\S\n]{2,})\d{1,4})[^\S\n]*",
    re.I,
)


class Settings(BaseModel):
    """What is taken away."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    contents: bool = Field(True, description="tables of contents too")


def apply(item: Item, settings: Settings) -> Item | Rejected:
    """The book alone; rejected where nothing of it is left."""
    if not _ANY.search(item.content):
        return item
    text = _book(item.content)
    if settings.contents:
        text = _without_contents(text)
    if text == item.content:
        return item
    if not text.strip():
        return Rejected("is header, licence or contents of a book, not the book")
    return replace(item, content=text.strip("\r\n"), noticed=(*item.noticed, NOTICED))


def _book(text: str) -> str:
    """Between the marks; nothing of a piece that has none and holds the licence."""
    begins, ends = list(_BEGINS.finditer(text)), _ENDS.search(text)
    if not begins and not ends:
        return "" if _MATTER.search(text) else text
    start = begins[-1].end() if begins else 0
    ends = _ENDS.search(text, start)
    return text[start : ends.start() if ends else len(text)]


def _without_contents(text: str) -> str:
    heading = _HEADING.search(text)
    if not heading:
        return text
    end, entries = heading.end(), 0
    for line in text[heading.end() :].splitlines(keepends=True):
        if line.strip() and not _ENTRY.fullmatch(line.rstrip("\r\n")):
            break
        entries += bool(line.strip())
        end += len(line)
    return text[: heading.start()] + text[end:] if entries >= ENTRIES else text
