"""Root of the mean squared error of predicted numbers, in the unit of the data: large errors cost most."""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import names
from aigc_models.metrics._bootstrap import POSITIVE, ROUNDS, compared, resamples
from aigc_models.metrics._numbers import answers, applies

__all__ = ["MODALITIES", "PRIMARY", "TASKS", "applies", "measure"]

MODALITIES = PRIMARY = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"regress"})


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that predicts numbers; the interval is that of resampled items, the same for all candidates."""
    squares = {name: np.square(one) for name, one in answers(evidence).errors.items()}
    items = len(next(iter(squares.values())))
    index = resamples(items, ROUNDS, evidence.seed)
    values = {name: float(np.sqrt(one.mean())) for name, one in squares.items()}
    draws = {name: np.sqrt(one[index].mean(1)) for name, one in squares.items()}
    return compared(values, draws, "unit of the labels", "lower", items - 1, POSITIVE)
