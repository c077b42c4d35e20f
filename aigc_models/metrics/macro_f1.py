"""F1 of each label, averaged with the same weight for all (Sokolova and Lapalme 2009): a rare label counts like a common one.

Of a label: 2 tp / (2 tp + fp + fn). Labels without a test item have no F1 and do not count; what is taken for one of them
is missing from its own label. Where items have several labels, a label is given from the probability on that served best
on validation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import names
from aigc_models.metrics import _classes, _multilabel
from aigc_models.metrics._bootstrap import ROUNDS, compared, resamples

__all__ = ["MODALITIES", "PRIMARY", "TASKS", "applies", "macro_f1", "measure"]

MODALITIES = PRIMARY = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"classify", "multilabel"})
Matrix = NDArray[np.bool_]


def applies(evidence: Evidence) -> bool:
    """A candidate that names labels, and test items that have some."""
    return (_multilabel if _multilabel.asks(evidence) else _classes).applies(evidence)


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that names labels; the interval is that of resampled items, the same for all candidates."""
    really, said = labels_of(evidence)
    items = len(really)
    index = resamples(items, ROUNDS, evidence.seed)
    whole = np.arange(items)[None]
    values = {name: float(macro_f1(really, each, whole)[0]) for name, each in said.items()}
    draws = {name: macro_f1(really, each, index) for name, each in said.items()}
    return compared(values, draws, "F1", "higher", items - 1, (0.0, 1.0))


def labels_of(evidence: Evidence) -> tuple[Matrix, dict[str, Matrix]]:
    """Which labels the items have, and are given by each candidate, both (item, label)."""
    if _multilabel.asks(evidence):
        several = _multilabel.answers(evidence)
        return several.truth, several.given
    one, labels = _classes.answers(evidence), np.arange(len(evidence.shape.labels))
    return one.truth[:, None] == labels, {name: chosen[:, None] == labels for name, chosen in one.chosen.items()}


def macro_f1(really: Matrix, said: Matrix, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each resample, float64 (round,), from labels (item, label) and the items drawn, (round, item)."""
    there = really.any(0)
    really, said = really[:, there], said[:, there]
    times = np.stack([np.bincount(rows, minlength=len(really)) for rows in index]).astype(np.float64)
    right, both = times @ (really & said), times @ (really.astype(np.float64) + said)  # both: 2 tp + fp + fn
    scores = np.divide(2.0 * right, both, out=np.full(both.shape, np.nan), where=both > 0)
    return np.asarray(np.nanmean(scores, axis=1))
