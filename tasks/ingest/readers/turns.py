"""The turns of a script (`aigc_models/reading/script.py`) as items: each with the one before it, so that a model learns who
answers whom, and labelled with who speaks last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from aigc_models.errors import Unreadable
from aigc_models.reading import script

LEAST = 50  # turns of a speaker that has a label; who says less is heard, and cannot be asked for
SCENE = 40  # turns that stay in one split together, for each stands in two items


class Exchange(NamedTuple):
    """A turn with the one before it; it begins in `line`."""

    line: int
    text: str
    speaker: str | None
    scene: int


def exchanges(text: str) -> Iterator[Exchange]:
    """Those of a script, in order; raises `Unreadable` where fewer than two turns are in it."""
    turns = list(script.turns(text))
    if len(turns) < 2:
        raise Unreadable("holds no turns: a line with a name and a colon alone, and what is said below it")
    counts, before = Counter(turn.speaker for turn in turns), ""
    for number, turn in enumerate(turns):
        label = turn.speaker if counts[turn.speaker] >= LEAST else None
        yield Exchange(turn.line, f"{before}{turn.text}", label, number // SCENE)
        before = "" if (number + 1) % SCENE == 0 else f"{turn.text}{script.APART}"
