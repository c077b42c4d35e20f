"""What a sequence of events is: a tune, or one user's history."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

MOST_EVENTS = 100_000  # of an item
PERCUSSION = -1  # the voice of what has no pitch
TOP = 127  # highest pitch and velocity of MIDI
TEMPI = (5.0, 1000.0)  # slowest and fastest that is taken for one (quarter notes a minute)
MOST_BEATS, SHORTEST_BEAT = 99, 128  # of a meter: what is above its line, and under it
Meter = tuple[int, int]  # beats of a bar, and what part of a whole note each is: (3, 4)


@dataclass(frozen=True)
class Events:
    """Event i happens at `times[i]`, float64 (event,).

    A tune counts quarter notes from its start. `values` are MIDI pitches and `voices` numbers, int64 (event,); `durations`
    are quarter notes, float64 (event,); `weights` are velocities (0 to 127), where they are known. `tempo` is in quarter
    notes a minute and `meter` such as (3, 4), those that the tune begins with, None where they are not stated; bars count
    from time 0.

    A history has no durations and no voices. Its times are seconds since 1970 (UTC) where it is `dated`, else plain numbers;
    `values` are the names of items (str, as object); `weights`, such as ratings, are NaN where one is missing.
    """

    times: np.ndarray
    values: np.ndarray
    durations: np.ndarray | None = None
    voices: np.ndarray | None = None
    weights: np.ndarray | None = None
    dated: bool = False
    tempo: float | None = None
    meter: Meter | None = None

    def __len__(self) -> int:
        return len(self.times)

    @property
    def tune(self) -> bool:
        """Whether it is a tune and not a history."""
        return self.durations is not None

    @property
    def bar(self) -> float | None:
        """Quarter notes of a bar, None where no meter is stated."""
        return None if self.meter is None else 4 * self.meter[0] / self.meter[1]

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


def tempo_of(value: float) -> float | None:
    """Quarter notes a minute to a thousandth, since MIDI rounds the time of one to microseconds; None for what is no tempo."""
    return round(float(value), 3) if TEMPI[0] <= value <= TEMPI[1] else None


def meter_of(beats: int, unit: int) -> Meter | None:
    """None for what is no meter."""
    return (beats, unit) if 0 < beats <= MOST_BEATS and 0 < unit <= SHORTEST_BEAT else None


def notes(
    times: object,
    pitches: object,
    durations: object,
    voices: object,
    weights: object | None = None,
    tempo: float | None = None,
    meter: Meter | None = None,
) -> Events:
    """A tune of these columns."""
    return Events(
        np.asarray(times, dtype=np.float64),
        np.asarray(pitches, dtype=np.int64),
        np.asarray(durations, dtype=np.float64),
        np.asarray(voices, dtype=np.int64),
        None if weights is None else np.asarray(weights, dtype=np.float64),
        tempo=tempo,
        meter=meter,
    )


def history(times: object, items: object, weights: object | None = None, dated: bool = False) -> Events:
    """A history of these columns."""
    return Events(
        np.asarray(times, dtype=np.float64),
        np.asarray(items, dtype=object),
        weights=None if weights is None else np.asarray(weights, dtype=np.float64),
        dated=dated,
    )
