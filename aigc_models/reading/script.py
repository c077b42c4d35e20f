"""Scripts as texts: a line with the speaker and a colon, what is said below it, and a blank line.

ROMEO:
Courage, man; the hurt cannot be much.

MERCUTIO:
No, 'tis not so deep as a well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

APART = "\n\n"  # between two turns
_HEAD = re.compile(r"[^\W\d_][^:\n]{0,39}:$")
_BLANK = re.compile(r"(\n(?:[ \t]*\n)+)")


class Turn(NamedTuple):
    """What one speaker says; it begins in `line`, from 1."""

    speaker: str
    words: str
    line: int

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{headed(self.speaker)}{self.words}"


def headed(speaker: str) -> str:
    """What stands before a speaker's words.

    >>> headed("ROMEO")
    'ROMEO:\\n'
    """
    return f"{speaker}:\n"


def turns(text: str) -> Iterator[Turn]:
    """Those of a text, in order; what is headed by no speaker, such as a title, is left out."""
    line = 1
    for block in _BLANK.split(text):
        head, _, words = block.strip("\n").partition("\n")
        if _HEAD.fullmatch(head.strip()) and words.strip():
            yield Turn(head.strip()[:-1], words, line + len(block) - len(block.lstrip("\n")))
        line += block.count("\n")
