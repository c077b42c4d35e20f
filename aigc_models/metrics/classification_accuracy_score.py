"""Accuracy on real test items of a classifier trained on generated items alone (Ravuri and Vinyals 2019)."""

from __future__ import annotations

import numpy as np

from aigc_models.canvas import painted
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement
from aigc_models.layers.classifier import predictions
from aigc_models.metrics._bootstrap import averages
from aigc_models.metrics._judge import can_classify, judge, labelled, train_classifier

MODALITIES = painted()


def applies(evidence: Evidence) -> bool:
    return can_classify(evidence) and len(labelled(evidence.test, len(evidence.shape.labels))) > 0


def correct(evidence: Evidence, corpus: Corpus) -> np.ndarray:
    """Whether a classifier trained on `corpus` is right, float (item,), for each labelled test item."""
    labels = len(evidence.shape.labels)
    test = labelled(evidence.test, labels)
    return (predictions(train_classifier(corpus, evidence.shape), test) == test.conditions).astype(np.float64)


def measure(evidence: Evidence) -> dict[str, Measurement]:
    jury = judge(evidence)
    names = {name: jury.original(name) for name in evidence.models}
    figures = dict[str, np.ndarray]()
    for name in sorted(set(names.values())):
        evidence.progress(len(figures), len(evidence.models))
        figures[name] = correct(evidence, jury.pool(name))
    return averages({name: figures[original] for name, original in names.items()}, "share", "higher", evidence.seed)
