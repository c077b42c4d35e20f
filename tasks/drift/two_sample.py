"""Can a classifier tell two sets of items apart? The classifier two-sample test.

Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests": a classifier that is trained to say which set an
item comes from does no better than chance on items held out, if and only if the two are alike in what it sees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

FOLDS = 5
PENALTY = 0.01  # C of scikit-learn: strong, so that a few hundred items are not learnt by heart
ROUNDS = 500
SEED = 2017
BATCH = 100  # rounds at a time


class Separation(NamedTuple):
    """Area under the ROC curve: how often an item of `after` looks more like one than an item of `before` does."""

    auc: float
    low: float
    high: float

    @property
    def score(self) -> float:
        """Two times the lower end of the interval less one, not below 0: 0 where they may be alike, 1 where all are apart."""
        return max(0.0, 2 * self.low - 1)


def tell_apart(features: np.ndarray, groups: Sequence[str], before: np.ndarray, after: np.ndarray) -> Separation:
    """Logistic regression on features float (item, feature) of different items; bool (item,) say which set holds each.

    An item in both sets counts in both. Items of one group are held out together, and drawn together in the bootstrap of
    the held-out predictions, whose middle 95 % is the interval (what another training set would change is not in it).
    """
    import numpy as np

    from aigc_models.metrics._bootstrap import interval, resamples

    names, units = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    folds = _folds(names.tolist(), units, before, after)[units]
    scores = _held_out(features, folds, before, after)
    weights = np.stack([before, after]).astype(np.float64)
    ranks = np.unique(scores, return_inverse=True)[1]
    value = _area(ranks, weights)
    draws = [
        _area(ranks, weights * np.bincount(chosen, minlength=len(names))[units])
        for chosen in resamples(len(names), ROUNDS, SEED)
    ]
    low, high = interval(np.array(draws))
    return Separation(*(round(float(each), 4) for each in (value, min(low, value), max(high, value))))


def _folds(names: Sequence[str], units: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """int (group,): dealt out by their hash, those of one set alone and those of both each for themselves."""
    import numpy as np

    kinds = np.zeros((2, len(names)), dtype=bool)
    for row, side in zip(kinds, (before, after), strict=True):
        row[units[side]] = True
    order = np.argsort([hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest() for name in names])
    folds = np.zeros(len(names), dtype=np.int64)
    for kind in ((True, False), (False, True), (True, True)):
        members = order[(kinds[:, order] == np.array(kind)[:, None]).all(axis=0)]
        folds[members] = np.arange(len(members)) % FOLDS
    return folds


def _held_out(features: np.ndarray, folds: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """float (item,): how much each looks like an item of `after` to a classifier that has not seen its fold."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scores = np.zeros(len(features))
    for fold in range(FOLDS):
        held = folds == fold
        rows = [np.flatnonzero(side & ~held) for side in (before, after)]
        if not (held.any() and all(map(len, rows))):
            continue
        truth = np.repeat([0, 1], [len(side) for side in rows])
        learner = LogisticRegression(C=PENALTY, class_weight="balanced", tol=1e-3, max_iter=200)
        model = make_pipeline(StandardScaler(), learner).fit(features[np.concatenate(rows)], truth)
        scores[held] = model.decision_function(features[held])
    return scores


def _area(ranks: np.ndarray, weights: np.ndarray) -> float:
    """Of items whose scores have these ranks (those that are alike share one), with weights (before and after, item)."""
    import numpy as np

    old, new = (np.bincount(ranks, side) for side in weights)
    below = np.cumsum(old) - old / 2
    return float(new @ below / max(1e-12, old.sum() * new.sum()))
