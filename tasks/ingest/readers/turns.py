"""The turns of a script: a line with the speaker and a colon, what is said below it, and a blank line.

    ROMEO:
    Courage, man; the hurt cannot be much.

    MERCUTIO:
    No, 'tis not so deep as a well.

An item is a turn with the one before it, so that a model learns who answers whom, and its label is who speaks last.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from aigc_models.errors import Unreadable

LEAST = 20  # turns of a speaker that has a label; who says less is heard, and cannot be asked for
SCENE = 40  # turns that stay in one split together, for each stands in two items
_HEAD = re.compile(r"[^\W\d_][^:\n]{0,39}:$")


class Exchange(NamedTuple):
    """A turn with the one before it, which begins in `line`."""

    line: int
    text: str
    speaker: str | None
    scene: int


def exchanges(text: str) -> Iterator[Exchange]:
    """Those of a script, in order; raises `Unreadable` where fewer than two turns are in it."""
    turns = list(_turns(text))
    if len(turns) < 2:
        raise Unreadable("holds no turns: a line with a name and a colon alone, and what is said below it")
    counts = Counter(speaker for _, speaker, _ in turns)
    before = ""
    for number, (line, speaker, said) in enumerate(turns):
        turn = f"{speaker}:\n{said}"
        label = speaker if counts[speaker] >= LEAST else None
        yield Exchange(line, f"{before}{turn}", label, number // SCENE)
        before = "" if (number + 1) % SCENE == 0 else f"{turn}\n\n"


def _turns(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, speaker, what is said); what stands before the first turn, such as a title, is left out."""
    line = 1
    for block in re.split(r"(\n(?:[ \t]*\n)+)", text):
        head, _, said = block.strip("\n").partition("\n")
        if _HEAD.fullmatch(head.strip()) and said.strip():
            yield line + len(block) - len(block.lstrip("\n")), head.strip()[:-1], said
        line += block.count("\n")
