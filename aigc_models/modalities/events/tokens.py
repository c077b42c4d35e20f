"""Events as symbols and back.

A tune takes 256 symbols: pitches, then durations and times gone by in steps of a grid, then
voices. A note is its pitch and its duration. Time that goes by stands before it; its voice does where it is not the one
after the last voice, counted from 0 at each new time: a full chord of a chorale needs no voices. What is longer than one
symbol can say takes several, which add up.

A history is one symbol for each item; its times are left out but for their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from aigc_models.modalities.events.events import PERCUSSION, Events, history, notes

PITCHES, DURATIONS, GAPS, VOICES = 0, 128, 192, 240  # where each kind of symbol begins
LONGEST_DURATION, LONGEST_GAP, MOST_VOICES = GAPS - DURATIONS, VOICES - GAPS, 256 - VOICES
OF_TUNES = VOICES + MOST_VOICES  # symbols in all
MOST_STEPS = 4096  # of a note or a rest: what is longer is a mistake
DRUMS = MOST_VOICES - 1  # the voice of percussion
UNKNOWN = 0  # an item that no train item has
FIRST_ITEM = 1


def of_tune(content: Events, grid: int) -> list[int]:
    """All of its notes, in the order of time."""
    symbols: list[int] = []
    now = following = 0
    for at, pitch, steps, voice in _on_grid(content, grid):
        gap = at - now
        following = 0 if gap else following
        number = DRUMS if voice == PERCUSSION else min(voice, DRUMS - 1)
        note = [*_summed(min(gap, MOST_STEPS), GAPS, LONGEST_GAP), *([] if number == following else [VOICES + number])]
        note += [PITCHES + pitch, *_summed(min(steps, MOST_STEPS), DURATIONS, LONGEST_DURATION)]
        symbols += note
        now, following = at, number + 1
    return symbols


def _on_grid(content: Events, grid: int) -> Iterable[tuple[int, int, int, int]]:
    """Time, pitch, steps and voice of each note, in steps of the grid; a note lasts one at least."""
    assert content.durations is not None
    assert content.voices is not None
    times = np.rint(content.times * grid).astype(np.int64)
    steps = np.maximum(1, np.rint(content.durations * grid).astype(np.int64))
    voices = np.where(content.voices == PERCUSSION, DRUMS, content.voices)
    order = np.lexsort((-content.values, voices, times))
    columns = (column[order].tolist() for column in (times, content.values, steps, content.voices))
    return zip(*columns, strict=True)


def _summed(steps: int, first: int, longest: int) -> list[int]:
    """Symbols from `first` on that stand for 1 to `longest` steps and add up to `steps`."""
    whole, rest = divmod(steps, longest)
    return [first + longest - 1] * whole + ([first + rest - 1] if rest else [])


def tune(symbols: Iterable[int], grid: int) -> Events:
    """The notes that symbols say, in whatever order a model gave them: a duration without a note says nothing."""
    rows: list[list[int]] = []  # time, pitch, steps, voice
    now = voice = 0
    lasting = False  # whether a duration belongs to the last note
    for symbol in symbols:
        if symbol >= VOICES:
            voice, lasting = symbol - VOICES, False
        elif symbol >= GAPS:
            now, voice, lasting = now + symbol - GAPS + 1, 0, False
        elif symbol >= DURATIONS:
            if lasting:
                rows[-1][2] += symbol - DURATIONS + 1
        else:
            rows.append([now, symbol, 0, voice])
            voice, lasting = min(voice + 1, MOST_VOICES - 1), True
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    voices = np.where(table[:, 3] == DRUMS, PERCUSSION, table[:, 3])
    return notes(table[:, 0] / grid, table[:, 1], np.maximum(1, table[:, 2]) / grid, voices)


def of_history(content: Events, numbers: Mapping[str, int]) -> list[int]:
    """All of its events."""
    return [numbers.get(item, UNKNOWN) for item in content.values.tolist()]


def items(symbols: Iterable[int], names: Sequence[str]) -> Events:
    """The items that symbols say, one a step of time; what stands for none of them is left out."""
    named = [symbol - FIRST_ITEM for symbol in symbols if FIRST_ITEM <= symbol < FIRST_ITEM + len(names)]
    return history(np.arange(len(named)), [names[at] for at in named])
