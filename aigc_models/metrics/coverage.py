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
    return (cdist(real, generated).min(1) <= radii(real, neighbours)).astype(np.float64)


def radii(real: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """How far each row's so many nearest others lie: float64 (row,)."""
    place = min(neighbours, len(real) - 1)  # the nearest is the row itself
    return np.asarray(np.partition(cdist(real, real), place, axis=1)[:, place])


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """The mean over the hands dealt from each candidate's pool, each as many items as are asked for."""
    jury = judge(evidence)
    radius = radii(jury.test)

    def each(name: str) -> np.ndarray:
        return np.array([cdist(jury.test, hand).min(1) <= radius for hand in jury.dealt(name)], dtype=np.float64)

    return shares(jury.for_each(each), "higher")
