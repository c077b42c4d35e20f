"""Frechet distance between generated and real test items in a classifier's features (FID, Heusel et al. 2017).

The classifier is trained on the train split here, so no downloaded network is needed. The distance is biased
upwards at few items: compare it with `frechet_distance_real`, which is taken at equal numbers and in the same way:
a pool is dealt out to match the test items label by label, several times over, and the distances averaged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aigc_models.canvas import painted
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._bootstrap import POSITIVE
from aigc_models.metrics._halves import halved, weights
from aigc_models.metrics._judge import Judge, judge

MODALITIES = PRIMARY = painted()
UNIT = "squared feature units"


class Moments(NamedTuple):
    """Mean (round, feature) and unbiased covariance (round, feature, feature) of rows, float64, weighted anew each round."""

    mean: np.ndarray
    covariance: np.ndarray


class Reference(NamedTuple):
    """The real side, made once for all candidates: `roots` are those of its covariances."""

    weights: np.ndarray
    moments: Moments
    roots: np.ndarray


def moments(rows: np.ndarray, weights: np.ndarray) -> Moments:
    """Of rows (item, feature) under weights (round, item) that sum to about the number of items."""
    items, features = rows.shape
    total = weights.sum(1, keepdims=True)
    centred = rows - rows.mean(0)
    mean = weights @ centred / total
    squares = (centred[:, :, None] * centred[:, None, :]).reshape(items, -1)  # one product of matrices for all rounds
    products = (weights @ squares / total).reshape(-1, features, features)
    covariance = (products - mean[:, :, None] * mean[:, None, :]) * (items / max(1, items - 1))
    return Moments(mean + rows.mean(0), covariance)


def roots(covariances: np.ndarray) -> np.ndarray:
    """Symmetric square roots of (round, feature, feature)."""
    values, vectors = np.linalg.eigh(covariances)
    return np.asarray((vectors * np.sqrt(values.clip(0))[:, None, :]) @ vectors.swapaxes(1, 2))


def distances(first: Moments, second: Moments, roots: np.ndarray) -> np.ndarray:
    """Squared 2-Wasserstein distances (round,) of Gaussians (Dowson and Landau 1982); `roots` of the second covariances."""
    gap = np.square(first.mean - second.mean).sum(1)
    traces = np.trace(first.covariance, axis1=1, axis2=2) + np.trace(second.covariance, axis1=1, axis2=2)
    cross = np.sqrt(np.linalg.eigvalsh(roots @ first.covariance @ roots).clip(0)).sum(1)
    return np.asarray(gap + traces - 2 * cross)


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """The distance of two Gaussians fitted to rows (item, feature)."""
    one, other = (moments(rows, np.ones((1, len(rows)))) for rows in (first, second))
    return float(distances(one, other, roots(other.covariance))[0])


def reference(jury: Judge) -> Reference:
    """The items asked for."""
    shared = jury.evidence.shared
    if "frechet reference" not in shared:
        weighed = weights(len(jury.test), jury.evidence.seed)
        real = moments(jury.test, weighed)
        shared["frechet reference"] = Reference(weighed, real, roots(real.covariance))
    made: Reference = shared["frechet reference"]
    return made


def measured(jury: Judge, dealt: np.ndarray) -> np.ndarray:
    """The mean distance of features (hand, item, feature), under the weights of `_halves.py`: float64 (round,)."""
    real = reference(jury)
    each = [distances(moments(features, real.weights), real.moments, real.roots) for features in dealt]
    return np.asarray(np.mean(each, axis=0))


def measure(evidence: Evidence) -> dict[str, Measurement]:
    jury = judge(evidence)
    return halved(jury.for_each(lambda name: measured(jury, jury.dealt(name))), UNIT, "lower", POSITIVE)
