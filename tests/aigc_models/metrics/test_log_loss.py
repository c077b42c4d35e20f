import numpy as np
from sklearn import metrics

from aigc_models.metrics import log_loss
from aigc_models.metrics._classes import answers


def test_against_scikit_learn(label_evidence):
    measured, given = log_loss.measure(label_evidence), answers(label_evidence)
    for name, figure in measured.items():
        assert abs(figure.value - metrics.log_loss(given.truth, np.exp(given.said[name]))) < 1e-6
        assert figure.low < figure.value < figure.high
    assert measured["good"].versus["weak"].high < 0


def test_what_was_held_for_impossible_costs_much_and_not_everything(label_evidence):
    label_evidence.models["good"].table[0] = -np.inf
    label_evidence.models["good"].table[0, (label_evidence.test.conditions[0] + 1) % 3] = 0.0
    given = answers(label_evidence)
    assert (
        abs(log_loss.measure(label_evidence)["good"].value - metrics.log_loss(given.truth, np.exp(given.said["good"]))) < 1e-6
    )
