"""Tunes and histories as numbers: what can be counted of each, and hashed runs of their events."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from zlib import crc32

import numpy as np

from aigc_models.modalities.events import near
from aigc_models.modalities.events.events import Events

FEATURES = 256
RUNS = (1, 2)  # events of a run that is counted
MOST = 4000  # events of an item whose runs are
_NAMES = ("events", "length", "gap", "different_share", "repeated_share", "weight", "voices", "pitch", "range", "duration")


def measures(contents: Sequence[Events]) -> dict[str, np.ndarray]:
    """Of each, float64 (item,): its events; the time from first to last and, on average, from one to the next (quarter
    notes, or seconds of a dated history); the shares of its pitches or items that are different, and that are those of the
    event before; the mean weight; of tunes the voices, mean pitch, range of pitches (semitones) and mean duration (quarter
    notes). What there is none of is 0."""
    rows = np.array([_measured(content) for content in contents], dtype=np.float64).reshape(-1, len(_NAMES))
    return dict(zip(_NAMES, rows.T, strict=True))


def _measured(content: Events) -> list[float]:
    count, values = len(content), content.values.tolist()
    repeated = sum(one == other for one, other in itertools.pairwise(values))
    gap = float(np.ptp(content.times)) / max(1, count - 1) if count else 0.0
    weights = np.zeros(0) if content.weights is None else content.weights[np.isfinite(content.weights)]
    common = [count, content.length, gap, len(set(values)) / max(1, count), repeated / max(1, count - 1), _mean(weights)]
    if content.voices is None or content.durations is None or not count:
        return [*common, 0, 0, 0, 0]
    pitches = content.values.astype(np.float64)
    return [*common, len(np.unique(content.voices)), _mean(pitches), float(np.ptp(pitches)), _mean(content.durations)]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def embedding(contents: Sequence[Events]) -> np.ndarray:
    """Float32 (item, `FEATURES`), each of length 1: signed hashes of runs of intervals and durations in each voice, or of
    items (Weinberger et al. 2009), under a square root. Of a long item the first `MOST` events count."""
    counts = np.zeros((len(contents), FEATURES))
    for row, content in zip(counts, contents, strict=True):
        places = np.array([crc32(run) for run in _runs(content.take(np.arange(min(len(content), MOST))))], dtype=np.int64)
        np.add.at(row, places % FEATURES, np.where(places >> 31, 1.0, -1.0))
    damped = np.sign(counts) * np.sqrt(np.abs(counts))
    return np.asarray(damped / np.maximum(1e-9, np.linalg.norm(damped, axis=1, keepdims=True)), dtype=np.float32)


def _runs(content: Events) -> Iterator[bytes]:
    for line in near.steps(content):
        for size in RUNS:
            yield from ("\x1f".join(line[at : at + size]).encode() for at in range(len(line) - size + 1))
