"""What was generated is taken from where it is, and measured once."""

from dataclasses import replace

import numpy as np

from aigc_models.metrics import _training_distance
from aigc_models.metrics._training_distance import TEST, made, neighbours


def test_candidates_that_share_their_items_share_their_distances(picture_evidence):
    class Combined:
        weights = {"replay": 1.0}  # noqa: RUF012

    models = {"ensemble": Combined(), "replay": picture_evidence.models["replay"]}
    near = neighbours(replace(picture_evidence, models=models))
    assert near["ensemble"] is near["replay"]
    assert len(near[TEST].whole) == len(picture_evidence.test)
    assert len(near["replay"].whole) == picture_evidence.pool


def test_without_models_the_samples_are_what_was_made(digits, picture_evidence):
    none = digits.test.take(np.arange(0))
    evidence = replace(picture_evidence, models={}, samples={"one": digits.validation, "none": none})
    assert made(evidence) == {"one": digits.validation}


def test_metrics_measure_once(picture_evidence, monkeypatch):
    evidence, calls = replace(picture_evidence, models={}), []
    measure = _training_distance.measure
    monkeypatch.setattr(_training_distance, "measure", lambda *arguments: calls.append(1) or measure(*arguments))
    assert neighbours(evidence) is neighbours(evidence)
    assert calls == [1]
