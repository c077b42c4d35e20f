"""Share of the labelled test items of which a model that lies elsewhere said nothing.

Of an ensemble: that were answered without one of the members that it was to have, whose weight the others got. A member that
was left out when the ensemble was made is missing in all of them.
"""

from __future__ import annotations

import numpy as np

from aigc_models.delegation import outside
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics import _classes
from aigc_models.metrics._classes import answers
from aigc_models.metrics._shares import shares

MODALITIES = frozenset({"text"})
TASKS = frozenset({"classify"})


def applies(evidence: Evidence) -> bool:
    """Where a candidate asks what lies elsewhere, or was to do so."""
    return _classes.applies(evidence) and (bool(evidence.left_out) or any(map(outside, evidence.models.values())))


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that classifies, with differences to the others."""
    silent = dict(answers(evidence).unanswered)
    for name in evidence.combined & silent.keys() if evidence.left_out else ():
        silent[name] = np.ones_like(silent[name])
    return shares({name: each.astype(np.float64) for name, each in silent.items()}, "lower")
