"""What a sequence of events is: a tune, or one user's history."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

MOST_EVENTS = 100_000  # of an item
PERCUSSION = -1  # the voice of what has no pitch
TOP = 127  # highest pitch and velocity of MIDI


@dataclass(frozen=True)
class Events:
    """Event i happens at `times[i]`, float64 (event,).

    A tune counts quarter notes from its start. `values` are MIDI pitches and `voices` numbers, int64 (event,); `durations`
    are quarter notes, float64 (event,); `weights` are velocities (0 to 127), where they are known.

    A history has no durations and no voices. Its times are seconds since 1970 (UTC) where it is `dated`, else plain numbers;
    `values` are the names of items (str, as object); `weights`, such as ratings, are NaN where one is missing.
    """

    times: np.ndarray
    values: np.ndarray
    durations: np.ndarray | None = None
    voices: np.ndarray | None = None
    weights: np.ndarray | None = None
    dated: bool = False

    def __len__(self) -> int:
        return len(self.times)

    @property
    def tune(self) -> bool:
        """Whether it is a tune and not a history."""
        return self.durations is not None

    @property
    def length(self) -> float:
        """From the first event to the last; of a tune, in quarter notes, to where its last note ends."""
        if not len(self):
            return 0.0
        ends = self.times if self.durations is None else self.times + self.durations
        return float(ends.max() - self.times.min())

    def columns(self) -> dict[str, np.ndarray]:
        """What it has of each event, by name."""
        named = {name: getattr(self, name) for name in ("times", "values", "durations", "voices", "weights")}
        return {name: column for name, column in named.items() if column is not None}

    def take(self, index: np.ndarray) -> Events:
        """The events at `index`, in that order."""
        return replace(self, **{name: column[index] for name, column in self.columns().items()})

    def ordered(self) -> Events:
        """By time; a tune then by voice and from high to low, a history as it is."""
        if self.voices is None:
            return self.take(np.argsort(self.times, kind="stable"))
        return self.take(np.lexsort((-self.values, self.voices, self.times)))


def notes(times: object, pitches: object, durations: object, voices: object, weights: object | None = None) -> Events:
    """A tune of these columns."""
    return Events(
        np.asarray(times, dtype=np.float64),
        np.asarray(pitches, dtype=np.int64),
        np.asarray(durations, dtype=np.float64),
        np.asarray(voices, dtype=np.int64),
        None if weights is None else np.asarray(weights, dtype=np.float64),
    )


def history(times: object, items: object, weights: object | None = None, dated: bool = False) -> Events:
    """A history of these columns."""
    return Events(
        np.asarray(times, dtype=np.float64),
        np.asarray(items, dtype=object),
        weights=None if weights is None else np.asarray(weights, dtype=np.float64),
        dated=dated,
    )
