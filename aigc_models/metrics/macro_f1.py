"""F1 of each label, averaged with the same weight for all (Sokolova and Lapalme 2009): a rare label counts like a common one.

Of a label: 2 tp / (2 tp + fp + fn). Labels without a test item have no F1 and do not count; what is taken for one of them
is missing from its own label.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import names
from aigc_models.metrics._bootstrap import ROUNDS, compared, resamples
from aigc_models.metrics._classes import answers, applies

__all__ = ["MODALITIES", "PRIMARY", "TASKS", "applies", "measure"]

MODALITIES = PRIMARY = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"classify"})


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that classifies; the interval is that of resampled items, the same for all candidates."""
    given = answers(evidence)
    chosen, items = given.chosen, len(given.truth)
    index = resamples(items, ROUNDS, evidence.seed)
    whole = np.arange(items)[None]
    values = {name: float(macro_f1(given.truth, each, whole)[0]) for name, each in chosen.items()}
    draws = {name: macro_f1(given.truth, each, index) for name, each in chosen.items()}
    return compared(values, draws, "F1", "higher", items - 1, (0.0, 1.0))


def macro_f1(truth: NDArray[np.int64], chosen: NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each resample, float64 (round,), from labels (item,) and the items drawn, (round, item)."""
    scores = np.full((len(np.unique(truth)), len(index)), np.nan)
    for row, label in enumerate(np.unique(truth)):
        really, said = truth == label, chosen == label
        right = (really & said)[index].sum(1)
        both = really[index].sum(1) + said[index].sum(1)  # 2 tp + fp + fn
        np.divide(2.0 * right, both, out=scores[row], where=both > 0)
    return np.asarray(np.nanmean(scores, axis=0))
