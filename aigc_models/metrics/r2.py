"""Share of the variance of the test items' numbers that predictions explain (R squared): 0 for their mean, 1 for the truth."""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import names
from aigc_models.metrics import _numbers
from aigc_models.metrics._bootstrap import ROUNDS, compared, resamples

MODALITIES = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"regress"})


def applies(evidence: Evidence) -> bool:
    """Predictions, and test items that differ."""
    return _numbers.applies(evidence) and float(np.std(_numbers.numbers(evidence.test))) > 0


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that predicts numbers; the interval is that of resampled items, the same for all candidates."""
    given = _numbers.answers(evidence)
    items = len(given.truth)
    index = resamples(items, ROUNDS, evidence.seed)
    spread = given.truth[index].var(1)
    values = {name: 1 - float(np.square(one).mean() / given.truth.var()) for name, one in given.errors.items()}
    draws = {name: 1 - (np.square(one)[index].mean(1) / np.maximum(spread, 1e-300)) for name, one in given.errors.items()}
    return compared(values, draws, "share", "higher", items - 1, (-np.inf, 1.0))
