"""How high the item that came next stands among the ten that are recommended: NDCG (Jarvelin and Kekalainen 2002).

Of one target this is 1 / log2(rank + 1), 1 where it stands first and 0 from the eleventh place on; the mean over the test
histories, whose last item is the target. All items are ranked, none sampled (Krichene and Rendle 2020 on why).
"""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._bootstrap import averages
from aigc_models.metrics._ranks import ranks, recommenders

MODALITIES = PRIMARY = frozenset({"events"})
TASKS = frozenset({"recommend"})
PLACES = 10


def applies(evidence: Evidence) -> bool:
    return bool(recommenders(evidence)) and len(evidence.test) > 0


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that recommends, with paired differences; a target that the vocabulary lacks counts 0."""
    return averages({name: gain(rank) for name, rank in ranks(evidence).items()}, "NDCG", "higher", evidence.seed)


def gain(rank: np.ndarray) -> np.ndarray:
    """float64 (item,) of ranks from 0 on."""
    return np.where(rank < PLACES, 1 / np.log2(np.minimum(rank, PLACES) + 2.0), 0.0)
