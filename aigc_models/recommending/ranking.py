"""What a rank is worth among the ten places that are looked at."""

from __future__ import annotations

import numpy as np

PLACES = 10


def gain(rank: np.ndarray) -> np.ndarray:
    """float64 (item,) of ranks from 0 on: 1 / log2(rank + 2), 0 from the eleventh on (Jarvelin and Kekalainen 2002)."""
    return np.where(rank < PLACES, 1 / np.log2(np.minimum(rank, PLACES) + 2.0), 0.0)
