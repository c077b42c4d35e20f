"""Frechet distance between generated and real test items in a classifier's features (FID, Heusel et al. 2017).

The classifier is trained on the train split here, so no downloaded network is needed. The distance is biased
upwards at few items: compare it with `frechet_distance_real`, which is taken at equal numbers and in the same way:
items are drawn from a pool to match the test items label by label, several times over, and the distances averaged.
"""

from __future__ import annotations

import numpy as np

from aigc_models.canvas import painted
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._bootstrap import compared
from aigc_models.metrics._judge import Judge, judge, repeated

MODALITIES = painted()
UNIT = "squared feature units"


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """Squared 2-Wasserstein distance of two Gaussians fitted to rows (item, feature) (Dowson and Landau 1982)."""
    gap = first.mean(0) - second.mean(0)
    one, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ other @ root).clip(0)).sum()
    return float(gap @ gap + np.trace(one) + np.trace(other) - 2 * cross)


def measured(jury: Judge, pool: Corpus) -> tuple[float, np.ndarray]:
    """The distance of a pool, and its draws, float64 (draw,)."""
    return repeated(jury, pool, jury.features(pool), jury.test, frechet)


def measure(evidence: Evidence) -> dict[str, Measurement]:
    jury = judge(evidence)
    names = {name: jury.original(name) for name in evidence.models}
    distances = {name: measured(jury, jury.pool(name)) for name in set(names.values())}
    values = {name: distances[original][0] for name, original in names.items()}
    return compared(values, {name: distances[original][1] for name, original in names.items()}, UNIT, "lower")
