"""Frechet distance between real train items and real test items: what a perfect generator would score.

Train items are drawn to match the test items label by label, as generated ones are made, several times over.
"""

from __future__ import annotations

import numpy as np

from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._bootstrap import interval, resamples
from aigc_models.metrics._judge import judge
from aigc_models.metrics.frechet_distance import frechet

MODALITIES = frozenset({"image"})
DRAWS = 10
ROUNDS = 20  # resamples for each draw


def matching(train: Corpus, like: Corpus, random: np.random.Generator) -> np.ndarray:
    """For each item of `like` a row of `train` with its condition (any, where there is none), without repeats if it can."""
    rows = np.empty(len(like), dtype=np.int64)
    for condition in np.unique(like.conditions):
        places = np.flatnonzero(np.asarray(like.conditions) == condition)
        known = np.flatnonzero(np.asarray(train.conditions) == condition)
        known = known if len(known) else np.arange(len(train))
        rows[places] = random.choice(known, len(places), replace=len(known) < len(places))
    return rows


def measure(evidence: Evidence) -> dict[str, Measurement]:
    jury, random = judge(evidence), np.random.default_rng(evidence.seed)
    train = jury.features(evidence.train)
    subsets = [train[matching(evidence.train, evidence.test, random)] for _ in range(DRAWS)]
    value = float(np.mean([frechet(subset, jury.test) for subset in subsets]))
    chosen = resamples(len(jury.test), ROUNDS, evidence.seed)
    draws = np.array([frechet(subset[rows], jury.test[rows]) for subset in subsets for rows in chosen])
    low, high = interval(draws, value)
    return {"real": Measurement(value=value, low=low, high=high, unit="squared feature units", better="lower")}
