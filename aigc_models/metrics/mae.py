"""Mean absolute error of predicted numbers, in the unit of the data."""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import names
from aigc_models.metrics._bootstrap import averages
from aigc_models.metrics._numbers import answers, applies

__all__ = ["MODALITIES", "TASKS", "applies", "measure"]

MODALITIES = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"regress"})


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that predicts numbers, with differences to the others."""
    sizes = {name: np.abs(one) for name, one in answers(evidence).errors.items()}
    return averages(sizes, "unit of the labels", "lower", evidence.seed)
