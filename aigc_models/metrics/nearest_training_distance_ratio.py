"""Whether generated items lie nearer to the training items than real test items do: below 1 is a sign of replay.

Median distance to the nearest training item, generated over test, at equal numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aigc_models.canvas import painted
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics import _canvas_distance, _text_distance
from aigc_models.metrics._bootstrap import statistics

MODALITIES = painted() | {"text"}
TEST = " test"  # no candidate is called so


def ratio(generated: np.ndarray, test: np.ndarray) -> float:
    return float(np.median(generated) / max(float(np.median(test)), 1e-9))


def nearest_distances(evidence: Evidence, groups: Mapping[str, Corpus]) -> dict[str, np.ndarray]:
    """For each group how far each item (item,) lies from the nearest training item."""
    if evidence.shape.modality in painted():
        return _canvas_distance.nearest_distances(evidence.train, groups, evidence.shape)
    return _text_distance.nearest_distances(evidence.train, groups)


def measure(evidence: Evidence) -> dict[str, Measurement]:
    distances = nearest_distances(evidence, {TEST: evidence.test, **evidence.samples})
    test = distances.pop(TEST)
    return statistics(distances, ratio, test, "ratio", "higher", evidence.seed, rounds=500)
