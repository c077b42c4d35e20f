"""Nats an item with a label: -log of the probability that its label was given. Confident errors cost most."""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import names
from aigc_models.metrics._bootstrap import averages
from aigc_models.metrics._classes import answers, applies

__all__ = ["MODALITIES", "TASKS", "applies", "measure"]

MODALITIES = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"classify"})
LEAST = float(np.log(np.finfo(np.float64).eps))  # a probability of 0 counts as the smallest step there is, as in scikit-learn


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that classifies, with differences to the others."""
    given = answers(evidence)
    items = np.arange(len(given.truth))
    nats = {name: -np.maximum(said[items, given.truth], LEAST) for name, said in given.said.items()}
    return averages(nats, "nats an item", "lower", evidence.seed)
