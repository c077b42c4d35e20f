"""Frechet distance between generated and real test items in a classifier's features (FID, Heusel et al. 2017).

The classifier is trained on the train split here, so no downloaded network is needed. The distance is biased
upwards at few items: compare it with `frechet_distance_real`, which is taken at equal numbers.
"""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._bootstrap import statistics
from aigc_models.metrics._judge import judge

MODALITIES = frozenset({"image"})


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """Squared 2-Wasserstein distance of two Gaussians fitted to rows (item, feature) (Dowson and Landau 1982)."""
    gap = first.mean(0) - second.mean(0)
    one, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    values, vectors = np.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ other @ root).clip(0)).sum()
    return float(gap @ gap + np.trace(one) + np.trace(other) - 2 * cross)


def measure(evidence: Evidence) -> dict[str, Measurement]:
    jury = judge(evidence)
    return statistics(jury.samples(), frechet, jury.test, "squared feature units", "lower", evidence.seed)
