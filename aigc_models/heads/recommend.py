"""Which item comes next in a history: what families do by themselves.

Histories are divided inside ("leave last out"), whichever split they are in by group: a recommendation is for a user whose
history is there. Models learn from all of each but its last two items; the last but one is what choices are made by, and
the last is what they are judged by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from aigc_models.capabilities import Recommends, Shape
from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from aigc_models.recommending.histories import UNKNOWN, events
from aigc_models.sequences import Sequences

PROTOCOL = Recommends
MODALITIES = frozenset({"events"})
HELD = {"train": 2, "validation": 1, "test": 0}  # last items of a history that a split leaves out
FEWEST = 3  # known items of a history that is asked: one to ask with, one to choose by, one to judge by
FEWEST_HISTORIES, FEWEST_ITEMS = 10, 10


def suits(card: Mapping[str, Any]) -> str:
    """Never by itself: a history may as well be gone on with."""
    return ""


def check(shape: Shape, train: Corpus) -> None:
    """Histories, some of them long enough, and items that several of them hold."""
    if shape.format.kind != "history":
        raise BadInput("to recommend takes histories of items, and the data set holds tunes; leave --task out to make tunes")
    known, histories = len(shape.format.items), int((events(train.sequences).lengths > 0).sum())
    if known < FEWEST_ITEMS:
        raise BadInput(f"to recommend takes {FEWEST_ITEMS} items that two histories hold, and there are {known}; add histories")
    if histories < FEWEST_HISTORIES:
        raise BadInput(
            f"to recommend takes {FEWEST_HISTORIES} histories, and the data set has {histories} that are not empty; add some"
        )


def divided(whole: Sequences, split: Literal["train", "validation", "test"]) -> tuple[Sequences, np.ndarray]:
    """What of all histories of a data set a split holds, each closed by its END, and int64 (row,), which of them those are.

    Of a history with fewer than `FEWEST` known items nothing can be asked, and the train split has all of it. What is left
    out depends on nothing but its place in its own history; the vocabulary is that of the data set's own train items, the whole
    histories of the users in that split: which items there are is known of these few places too, who holds them is not.
    """
    known = np.add.reduceat(np.asarray(whole.symbols) > UNKNOWN, whole.starts[:-1]) if len(whole) else np.zeros(0)
    end = np.asarray(whole.symbols)[whole.starts[1:] - 1]
    asked = known - (end > UNKNOWN) >= FEWEST
    kept = np.arange(len(whole)) if split == "train" else np.flatnonzero(asked)
    cut = np.where(asked[kept], HELD[split], 0)
    chosen = whole[kept]
    place = np.arange(len(chosen.symbols)) - np.repeat(chosen.starts[:-1], chosen.lengths)
    length = chosen.lengths - cut
    there = place < np.repeat(length, chosen.lengths)
    symbols, starts = np.asarray(chosen.symbols)[there], np.concatenate([[0], np.cumsum(length)])
    symbols[starts[1:] - 1] = end[kept]
    return Sequences(symbols, starts), kept
