"""How near futures lie to the futures of the training windows, whatever the level on which they run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.metrics._neighbours import Neighbours, neighbours, without_largest

ROWS = 2048  # training windows at a time


def futures(corpus: Corpus, shape: Shape) -> np.ndarray:
    """What follows the past of each window, float32 (window, channel, step); the futures themselves where it has no past."""
    return np.asarray(corpus.values[..., -shape.format.horizon :], dtype=np.float32)


def nearest(train: Corpus, groups: Mapping[str, Corpus], shape: Shape) -> dict[str, Neighbours]:
    """For each group its windows' nearest in `train`, Euclidean in standard deviations; `most` is but for one step.

    Each channel is taken from its own mean: a repeated course is one wherever it begins, and a series that has risen
    since is not new for that alone.
    """

    def level(values: np.ndarray) -> np.ndarray:
        return (values - values.mean(-1, keepdims=True)).reshape(len(values), -1)

    def parts() -> Iterator[np.ndarray]:
        courses = futures(train, shape)
        for start in range(0, len(courses), ROWS):
            yield level(courses[start : start + ROWS])

    def apart(differences: np.ndarray) -> np.ndarray:
        steps = differences.reshape(len(differences), shape.format.channels, -1)
        steps = steps - np.median(steps, axis=2, keepdims=True)  # one step that differs moves the mean
        return without_largest((steps**2).sum(1), 1)

    return {name: neighbours(parts, level(futures(corpus, shape)), apart) for name, corpus in groups.items()}
