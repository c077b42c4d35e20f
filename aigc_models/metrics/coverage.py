"""Share of real test items that have a generated item nearby (Naeem et al. 2020).

Nearby: no further than the test item's fifth nearest test item, in the judge's features.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from aigc_models.canvas import painted
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._judge import judge
from aigc_models.metrics._shares import shares

MODALITIES = painted()
NEIGHBOURS = 5


def covered(real: np.ndarray, generated: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """For each real row, 1.0 where a generated row lies within its radius, else 0.0."""
    nearest = np.sort(cdist(real, real), axis=1)  # the first is the item itself
    radius = nearest[:, min(neighbours, len(real) - 1)]
    return (cdist(real, generated).min(1) <= radius).astype(np.float64)


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """The mean over the hands dealt from each candidate's pool, each as many items as are asked for."""
    jury = judge(evidence)
    return shares(jury.for_each(lambda name: np.stack([covered(jury.test, hand) for hand in jury.dealt(name)])), "higher")
