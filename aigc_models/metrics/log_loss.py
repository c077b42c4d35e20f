"""Nats an item with a label: -log of the probability that its label was given. Confident errors cost most.

Where items have several labels: nats a label, each being there or not, averaged over all of them.
"""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import names
from aigc_models.metrics import _classes, _multilabel
from aigc_models.metrics._bootstrap import averages

MODALITIES = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"classify", "multilabel"})
LEAST = float(np.log(np.finfo(np.float64).eps))  # a probability of 0 counts as the smallest step there is, as in scikit-learn


def applies(evidence: Evidence) -> bool:
    """A candidate that names labels, and test items that have some."""
    return (_multilabel if _multilabel.asks(evidence) else _classes).applies(evidence)


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that names labels, with differences to the others."""
    if _multilabel.asks(evidence):
        several = _multilabel.answers(evidence)
        each = {name: np.logaddexp(0, np.where(several.truth, -one, one)).mean(1) for name, one in several.logits.items()}
        return averages(each, "nats a label", "lower", evidence.seed)
    given = _classes.answers(evidence)
    items = np.arange(len(given.truth))
    nats = {name: -np.maximum(said[items, given.truth], LEAST) for name, said in given.said.items()}
    return averages(nats, "nats an item", "lower", evidence.seed)
