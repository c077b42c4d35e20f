"""Whether generated items lie nearer to the training items than real test items do: below 1 is a sign of replay.

Median distance to the nearest training item, generated over test, at equal numbers.
"""

from __future__ import annotations

import importlib

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._bootstrap import statistics

MODALITIES = frozenset({"image", "text"})
TEST = " test"  # no candidate is called so


def ratio(generated: np.ndarray, test: np.ndarray) -> float:
    return float(np.median(generated) / max(float(np.median(test)), 1e-9))


def measure(evidence: Evidence) -> dict[str, Measurement]:
    nearest_distances = importlib.import_module(f"aigc_models.metrics._{evidence.shape.modality}_distance").nearest_distances
    distances = nearest_distances(evidence.train, {TEST: evidence.test, **evidence.samples})
    test = distances.pop(TEST)
    return statistics(distances, ratio, test, "ratio", "higher", evidence.seed, rounds=500)
