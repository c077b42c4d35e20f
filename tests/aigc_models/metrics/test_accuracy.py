from sklearn.metrics import accuracy_score

from aigc_models.metrics import accuracy
from aigc_models.metrics._classes import answers


def test_against_scikit_learn_with_an_interval_that_tells_good_from_weak(label_evidence):
    measured, given = accuracy.measure(label_evidence), answers(label_evidence)
    for name, figure in measured.items():
        assert abs(figure.value - accuracy_score(given.truth, given.chosen[name])) < 1e-12
        assert figure.low < figure.value < figure.high
    assert measured["good"].versus["weak"].low > 0
