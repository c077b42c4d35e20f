"""How near items lie to the nearest training item, as pictures: a sound as its spectrogram."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.metrics._judge import pixels

ROWS = 2048  # training items at a time, so that memory stays bounded


def nearest_distances(train: Corpus, groups: Mapping[str, Corpus], shape: Shape) -> dict[str, np.ndarray]:
    """For each group the Euclidean distance in pixels, float64 (item,), of each item to its nearest in `train`."""
    return {name: nearest(train, pixels(corpus, shape), shape) for name, corpus in groups.items()}


def nearest(train: Corpus, rows: np.ndarray, shape: Shape) -> np.ndarray:
    best = np.full(len(rows), np.inf)
    for start in range(0, len(train), ROWS):
        chunk = pixels(train.take(np.arange(start, min(start + ROWS, len(train)))), shape)
        squares = (rows**2).sum(1)[:, None] + (chunk**2).sum(1)[None] - 2 * rows @ chunk.T
        best = np.minimum(best, squares.min(1))
    return np.sqrt(best.clip(0))
