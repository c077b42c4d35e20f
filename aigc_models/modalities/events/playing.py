"""The notes of a tune as one who plays them has them: whole ticks, and each pitch of a voice once at a time."""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

import numpy as np

from aigc_models.modalities.events.events import TOP, Events

USUAL_TEMPO = 120.0  # quarter notes a minute where none is stated, as MIDI has it
USUAL_VELOCITY = 80  # where none is known


class Played(NamedTuple):
    """Times in ticks from the start of the tune, velocity 1 to 127."""

    start: int
    end: int
    pitch: int
    voice: int
    velocity: int


def played(content: Events, ticks: int) -> list[Played]:
    """In the order of time, `ticks` to a quarter note; a note lasts one at least.

    A pitch that begins again in its voice before it ended ends there, as a key does that is struck again; of two that
    begin together the longer one is kept. Neither MIDI nor ABC can say anything else.
    """
    if content.durations is None or content.voices is None:
        return []
    weights = np.full(len(content), np.nan) if content.weights is None else content.weights
    velocities = np.clip(np.rint(np.where(np.isnan(weights), USUAL_VELOCITY, weights)), 1, TOP)
    starts = np.rint(content.times * ticks).astype(np.int64)
    ends = np.rint((content.times + content.durations) * ticks).astype(np.int64)
    columns = (content.voices, content.values, starts, -np.maximum(ends, starts + 1), velocities.astype(np.int64))
    rows = sorted(zip(*(column.tolist() for column in columns), strict=True))
    notes = []
    for (voice, pitch), group in groupby(rows, lambda row: row[:2]):
        struck = {start: (-end, velocity) for _, _, start, end, velocity in reversed(list(group))}
        following = sorted(struck)
        for start, again in zip(following, [*following[1:], None], strict=True):
            end, velocity = struck[start]
            notes.append(Played(start, end if again is None else min(end, again), pitch, voice, velocity))
    return sorted(notes)
