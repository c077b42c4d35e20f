"""Accuracy on real test items of the same classifier, trained on as many real train items: what to compare with."""

from __future__ import annotations

import numpy as np

from aigc_models.canvas import painted
from aigc_models.evidence import Evidence, Measurement
from aigc_models.layers.classifier import predictions
from aigc_models.metrics._bootstrap import averages
from aigc_models.metrics._judge import judge, labelled
from aigc_models.metrics.classification_accuracy_score import applies

__all__ = ["MODALITIES", "applies", "measure"]

MODALITIES = painted()


def measure(evidence: Evidence) -> dict[str, Measurement]:
    test = labelled(evidence.test, len(evidence.shape.labels))
    right = (predictions(judge(evidence).pupil, test) == test.conditions).astype(np.float64)
    return averages({"real": right}, "share", "higher", evidence.seed)
