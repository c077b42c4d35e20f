"""Accuracy on real test items of classifiers trained on generated items alone (Ravuri and Vinyals 2019), averaged.

Each learns from another draw of the candidate's pool, from another start: what another pool and another training would
change shows between them, and is in the interval beside what other test items would.
"""

from __future__ import annotations

import math

import numpy as np

from aigc_models.canvas import painted
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement
from aigc_models.layers.classifier import predictions
from aigc_models.metrics._judge import SEED, can_classify, judge, labelled, train_classifier
from aigc_models.metrics._shares import shares

MODALITIES = painted()
PUPILS = 3  # classifiers
STEPS = 0.25  # of the judge's, each: a quarter costs one or two hundredths of accuracy, of real items as of generated ones
DRAWN = 0.8  # of the pool, each


def applies(evidence: Evidence) -> bool:
    return can_classify(evidence) and len(labelled(evidence.test, len(evidence.shape.labels))) > 0


def correct(evidence: Evidence, corpus: Corpus) -> np.ndarray:
    """Whether classifiers trained on `corpus` are right, float (classifier, item), for each labelled test item."""
    labels = len(evidence.shape.labels)
    test, lesson = labelled(evidence.test, labels), labelled(corpus, labels)
    right = []
    for seed in range(SEED, SEED + PUPILS):
        drawn = lesson.sample(math.ceil(DRAWN * len(lesson)), seed)
        right.append(predictions(train_classifier(drawn, evidence.shape, seed, STEPS), test) == test.conditions)
    return np.array(right, dtype=np.float64)


def measure(evidence: Evidence) -> dict[str, Measurement]:
    jury = judge(evidence)
    return shares(jury.for_each(lambda name: correct(evidence, jury.pool(name))), "higher")
