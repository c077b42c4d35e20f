"""Share of the test items whose number lies inside the interval about its prediction: it should be the interval's level, 90 %.

The interval is what an ensemble has learnt on validation; of other candidates the quantile of their errors there.
"""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import names
from aigc_models.metrics._numbers import answers, half_widths
from aigc_models.metrics._numbers import applies as predicts
from aigc_models.metrics._shares import shares

MODALITIES = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"regress"})


def applies(evidence: Evidence) -> bool:
    """Predictions, and validation items enough for an interval."""
    return predicts(evidence) and bool(half_widths(evidence))


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that has an interval, with differences to the others."""
    errors, widths = answers(evidence).errors, half_widths(evidence)
    inside = {name: np.asarray(np.abs(errors[name]) <= width, np.float64) for name, width in widths.items()}
    return shares(inside, "higher")
