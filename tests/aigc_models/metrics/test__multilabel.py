from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import f1_score
from sklearn.metrics import log_loss as peer

from aigc_models.metrics import _multilabel, log_loss, macro_f1


def test_figures_are_those_of_scikit_learn_and_each_model_is_asked_once(several_evidence):
    f1, nats = macro_f1.measure(several_evidence), log_loss.measure(several_evidence)
    given = _multilabel.answers(several_evidence)
    assert set(f1) == set(nats) == {"ensemble", "baseline", "good", "weak"}
    for name in f1:
        assert f1[name].value == pytest.approx(f1_score(given.truth, given.given[name], average="macro"))
        each = [peer(given.truth[:, at], expit(given.logits[name][:, at])) for at in range(3)]
        assert nats[name].value == pytest.approx(np.mean(each))
        assert f1[name].low < f1[name].value < f1[name].high
    assert f1["good"].versus["weak"].low > 0
    assert nats["good"].versus["weak"].high < 0
    assert nats["good"].unit == "nats a label"
    half = len(several_evidence.test.answered())
    assert len(given.truth) == half < len(several_evidence.test)


def test_a_model_gives_labels_from_its_own_thresholds_on_and_others_from_the_best_of_validation(several_evidence):
    least = _multilabel.thresholds(several_evidence)
    assert least["ensemble"].tolist() == [0.3, 0.4, 0.5]
    assert least["weak"].tolist() == least["baseline"].tolist()
    assert set(least["weak"]) != {0.5}


def test_without_labels_or_without_who_names_them_nothing_applies(several_evidence):
    none = replace(several_evidence.test, targets=np.zeros((600, 3), np.float32))
    for metric in (macro_f1, log_loss):
        assert metric.applies(several_evidence)
        assert not metric.applies(replace(several_evidence, test=none))
        assert not metric.applies(replace(several_evidence, models={"dumb": object()}))
