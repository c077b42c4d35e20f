import numpy as np

from aigc_models.metrics import classification_accuracy_real, classification_accuracy_score
from aigc_models.metrics._judge import judge


def test_a_replay_is_worth_the_real_data_and_wrong_labels_are_worth_nothing(picture_evidence):
    measurements = classification_accuracy_score.measure(picture_evidence)
    real = classification_accuracy_real.measure(picture_evidence)["real"]
    assert real.value > 0.95
    assert measurements["replay"].value > real.value - 0.04
    assert measurements["wrong"].value < 0.1
    assert measurements["wrong"].versus["replay"].high < -0.8


def test_it_needs_labels(picture_evidence, unlabelled_evidence):
    assert classification_accuracy_score.applies(picture_evidence)
    assert not classification_accuracy_score.applies(unlabelled_evidence)


def test_the_figure_is_the_mean_over_draws_and_the_same_twice(picture_evidence):
    pool = judge(picture_evidence).pool("noisy")
    right = classification_accuracy_score.correct(picture_evidence, pool)
    assert right.shape == (classification_accuracy_score.DRAWS, len(picture_evidence.test))
    assert classification_accuracy_score.measure(picture_evidence)["noisy"].value == right.mean()
    assert np.array_equal(classification_accuracy_score.correct(picture_evidence, pool), right)
