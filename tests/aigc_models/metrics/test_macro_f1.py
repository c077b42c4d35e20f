import numpy as np
from sklearn.metrics import f1_score

from aigc_models.metrics import macro_f1
from aigc_models.metrics._classes import answers


def test_against_scikit_learn_with_an_interval_that_tells_good_from_weak(label_evidence):
    measured, given = macro_f1.measure(label_evidence), answers(label_evidence)
    for name, figure in measured.items():
        assert abs(figure.value - f1_score(given.truth, given.chosen[name], average="macro")) < 1e-12
        assert figure.low < figure.value < figure.high
        assert figure.better == "higher"
    assert measured["good"].versus["weak"].low > 0


def test_a_label_without_an_item_has_no_f1_and_a_resample_is_measured_by_itself():
    truth, chosen = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1])
    index = np.array([[0, 1, 2, 3], [0, 0, 0, 1]])
    expected = [
        f1_score(truth, chosen, labels=[0, 1], average="macro"),
        f1_score([0, 0, 0, 0], [0, 0, 0, 2], labels=[0], average="macro"),
    ]
    assert np.allclose(macro_f1.macro_f1(truth[:, None] == np.arange(3), chosen[:, None] == np.arange(3), index), expected)
