"""Whether generated items lie nearer to the training items than real test items do: below 1 is a sign of replay.

Median distance to the nearest training item, generated over test, at equal numbers. Some copies do not move a median:
`memorised_share` counts them.
"""

from __future__ import annotations

import numpy as np

from aigc_models.canvas import painted
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics import _training_distance
from aigc_models.metrics._bootstrap import compared, statistics
from aigc_models.metrics._judge import judge, repeated
from aigc_models.metrics._training_distance import TEST

MODALITIES = painted() | {"text"}


def ratio(generated: np.ndarray, test: np.ndarray) -> float:
    return float(np.median(generated) / max(float(np.median(test)), 1e-9))


def measure(evidence: Evidence) -> dict[str, Measurement]:
    distances = {name: near.whole[:, 0] for name, near in _training_distance.neighbours(evidence).items()}
    if evidence.shape.modality in painted():
        return of_pictures(evidence, distances)
    test = distances.pop(TEST)
    return statistics(distances, ratio, test, "ratio", "higher", evidence.seed, rounds=500)


def of_pictures(evidence: Evidence, distances: dict[str, np.ndarray]) -> dict[str, Measurement]:
    """From the judge's pools, as the Frechet distance is: the samples alone, 81 notes, give 0.03 more or less by chance."""
    jury = judge(evidence)
    names = {name: jury.original(name) for name in evidence.models}
    test = distances[TEST][: len(jury.asked)]
    ratios = {name: repeated(jury, jury.pool(name), distances[name], test, ratio) for name in set(names.values())}
    values = {name: ratios[original][0] for name, original in names.items()}
    return compared(values, {name: ratios[original][1] for name, original in names.items()}, "ratio", "higher")
