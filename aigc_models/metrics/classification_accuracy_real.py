"""Accuracy on real test items of the same classifiers, trained on as many real train items: what to compare with."""

from __future__ import annotations

from aigc_models.canvas import painted
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._judge import judge
from aigc_models.metrics._shares import shares
from aigc_models.metrics.classification_accuracy_score import applies, correct

__all__ = ["MODALITIES", "applies", "measure"]

MODALITIES = painted()


def measure(evidence: Evidence) -> dict[str, Measurement]:
    return shares({"real": correct(evidence, judge(evidence).lesson)}, "higher")
