"""Whether generated items lie nearer to the training items than real test items do: below 1 is a sign of replay.

Median distance to the nearest training item, generated over test, at equal numbers. Some copies do not move a median:
`memorised_share` counts them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aigc_models.canvas import painted
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics import _training_distance
from aigc_models.metrics._bootstrap import POSITIVE, ROUNDS, compared, resamples
from aigc_models.metrics._judge import judge
from aigc_models.metrics._training_distance import TEST

MODALITIES = painted() | {"text"}


def ratios(generated: np.ndarray, test: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The mean over the hands of `generated` (hand, item) of median over median of `test` (item,), at `rows` (round, item)."""
    medians = np.stack([np.median(hand[rows], axis=1) for hand in generated])
    return np.asarray(medians.mean(0) / np.maximum(np.median(test[rows], axis=1), 1e-9))


def measure(evidence: Evidence) -> dict[str, Measurement]:
    distances = {name: near.whole[:, 0] for name, near in _training_distance.neighbours(evidence).items()}
    if evidence.shape.modality in painted():
        return of_pictures(evidence, distances)
    test = distances.pop(TEST)
    return measured({name: each[None] for name, each in distances.items()}, test, evidence.seed)


def of_pictures(evidence: Evidence, distances: dict[str, np.ndarray]) -> dict[str, Measurement]:
    """From the judge's pools, as the Frechet distance is: the samples alone, 81 notes, give 0.03 more or less by chance."""
    jury = judge(evidence)
    dealt = jury.for_each(lambda name: distances[name][jury.hands(jury.pool(name))])
    return measured(dealt, distances[TEST][: len(jury.asked)], evidence.seed)


def measured(generated: Mapping[str, np.ndarray], test: np.ndarray, seed: int) -> dict[str, Measurement]:
    """Of each candidate's distances (hand, item); item i has the condition of test item i.

    Both are resampled together: the labels' shares stay alike on both sides, and candidates are compared on the same items.
    """
    items = min(len(test), *(each.shape[1] for each in generated.values()))
    whole, rows = np.arange(items)[None], resamples(items, ROUNDS, seed)
    values = {name: float(ratios(each, test, whole)[0]) for name, each in generated.items()}
    draws = {name: ratios(each, test, rows) for name, each in generated.items()}
    return compared(values, draws, "ratio", "higher", items - 1, POSITIVE)
