"""By how much confidence and accuracy differ: of the items that are given their label with 80 %, 80 % should be right.

The items are sorted by the probability of their likeliest label and cut into 15 bins of as many each (fewer where a bin
would have less than 10); the figure is the mean over items of |accuracy - mean confidence| of their bin (Naeini et al. 2015,
with bins of equal mass: Nguyen and O'Connor 2015). Chance alone makes that more than nothing, for a bin has few items: what
it adds is estimated, accuracies being normal about those observed, and taken off (Kumar, Liang and Ma 2019). It is never
below 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import names
from aigc_models.metrics._bootstrap import ROUNDS, compared, resamples
from aigc_models.metrics._classes import answers, applies

__all__ = ["MODALITIES", "TASKS", "applies", "calibration_error", "measure"]

MODALITIES = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"classify"})
BINS, FEWEST = 15, 10  # bins, and items of one

Floats = NDArray[np.float64]


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that classifies; the interval is that of resampled items, moved onto the value."""
    given = answers(evidence)
    index = resamples(len(given.truth), ROUNDS, evidence.seed)
    values, draws = dict[str, float](), dict[str, Floats]()
    for name, said in given.said.items():
        confidence, right = np.exp(said.max(1)), np.asarray(said.argmax(1) == given.truth, np.float64)
        values[name] = calibration_error(confidence, right)
        draws[name] = np.array([calibration_error(confidence[rows], right[rows]) for rows in index])
    return compared(values, draws, "share", "lower", len(given.truth) - 1, (0.0, 1.0))


def calibration_error(confidence: Floats, right: Floats, debiased: bool = True) -> float:
    """From the probability of the likeliest label and whether it is right, both float64 (item,)."""
    items = len(confidence)
    order = np.argsort(confidence, kind="stable")
    borders = np.linspace(0, items, max(1, min(BINS, items // FEWEST)) + 1).astype(int)
    sizes = np.diff(borders)
    accuracy = np.add.reduceat(right[order], borders[:-1]) / sizes
    gap = np.abs(accuracy - np.add.reduceat(confidence[order], borders[:-1]) / sizes)
    if debiased:
        gap = 2 * gap - folded_mean(gap, np.sqrt(accuracy * (1 - accuracy) / sizes))
    return max(0.0, float((sizes * gap).sum() / items))


def folded_mean(mean: Floats, deviation: Floats) -> Floats:
    """Mean of |x| for normal x: the expectation of what resampled accuracies would show."""
    ratio = mean / np.maximum(deviation, 1e-12)
    return np.asarray(deviation * math.sqrt(2 / math.pi) * np.exp(-(ratio**2) / 2) + mean * erf(ratio / math.sqrt(2)))
