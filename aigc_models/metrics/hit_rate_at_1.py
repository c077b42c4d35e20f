"""The right answer comes first of all that there are: the share of test questions of which that is so.

Among all answers of the train and the test items; every answer that the data give to the question counts as right, and
answers of the same score are in random order.
"""

from __future__ import annotations

from aigc_models.evidence import Evidence, Measurement
from aigc_models.language.pairs import hits
from aigc_models.metrics._matches import applies, matched
from aigc_models.metrics._shares import shares

__all__ = ["MODALITIES", "PRIMARY", "TASKS", "applies", "measure"]

MODALITIES = PRIMARY = frozenset({"text"})
TASKS = frozenset({"match"})
FIRST = 1


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that matches; paired intervals over the test items."""
    given = matched(evidence)
    return shares({name: hits(scores, given.right, FIRST) for name, scores in given.scores.items()}, better="higher")
