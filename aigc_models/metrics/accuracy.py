"""Share of the labelled test items whose likeliest label is theirs."""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import names
from aigc_models.metrics._classes import answers, applies
from aigc_models.metrics._shares import shares

__all__ = ["MODALITIES", "TASKS", "applies", "measure"]

MODALITIES = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"classify"})


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that classifies, with differences to the others."""
    given = answers(evidence)
    return shares({name: np.asarray(chosen == given.truth, np.float64) for name, chosen in given.chosen.items()}, "higher")
