from dataclasses import replace

import numpy as np
from scipy.special import log_softmax

from aigc_models.ensembles import opinion_pool
from aigc_models.metrics import _classes, accuracy, expected_calibration_error, log_loss, macro_f1


def test_all_metrics_ask_each_model_once_and_the_pool_is_made_of_what_its_members_said(label_evidence):
    for metric in (accuracy, macro_f1, log_loss, expected_calibration_error):
        assert metric.applies(label_evidence)
        measured = metric.measure(label_evidence)
        assert set(measured) == {"ensemble", "baseline", "good", "weak"}
        assert set(measured["weak"].versus) == {"ensemble", "baseline", "good"}
        assert measured["weak"].versus["baseline"].value == 0
    batches = -(-600 // _classes.AT_ONCE)
    assert [label_evidence.models[name].times for name in ("good", "weak")] == [batches, batches]
    given = _classes.answers(label_evidence)
    assert len(given.truth) == 600
    assert np.allclose(given.said["ensemble"], log_softmax(given.said["good"] + given.said["weak"], axis=1))


def test_a_pool_of_others_than_the_candidates_is_asked_itself(label_evidence):
    models = dict(label_evidence.models)
    champion = opinion_pool.build({"old": models["good"]}, {"old": 1.0}, opinion_pool.Settings())
    given = _classes.answers(replace(label_evidence, models={"champion": champion, "weak": models["weak"]}))
    assert np.allclose(given.said["champion"], log_softmax(models["good"].table.numpy()[:600], axis=1))


def test_without_labels_or_without_classifiers_nothing_applies(label_evidence):
    bare = replace(label_evidence.test, conditions=np.full(700, 3))
    for metric in (accuracy, macro_f1, log_loss, expected_calibration_error):
        assert not metric.applies(replace(label_evidence, test=bare))
        assert not metric.applies(replace(label_evidence, models={"dumb": object()}))
        assert not metric.applies(replace(label_evidence, shape=replace(label_evidence.shape, labels=("a",))))
