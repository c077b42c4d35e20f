import numpy as np
from sklearn.calibration import calibration_curve

from aigc_models.metrics import expected_calibration_error
from aigc_models.metrics.expected_calibration_error import calibration_error, folded_mean


def drawn(items, seed, sharper=0.0):
    """Confidences, and whether the label is right with that probability less `sharper`."""
    random = np.random.default_rng(seed)
    confidence = random.uniform(0.4, 1.0, items)
    return confidence, (random.random(items) < confidence - sharper).astype(float)


def test_without_debiasing_against_the_calibration_curve_of_scikit_learn():
    confidence, right = drawn(1500, 0, 0.1)
    accuracy, mean = calibration_curve(right, confidence, n_bins=15, strategy="quantile")
    assert abs(calibration_error(confidence, right, debiased=False) - np.abs(accuracy - mean).mean()) < 1e-3  # 100 items a bin


def test_what_chance_adds_is_taken_off():
    figures = np.array([[calibration_error(*drawn(600, seed), debiased) for debiased in (False, True)] for seed in range(100)])
    plain, debiased = figures.mean(0)
    assert plain > 0.04
    assert debiased < 0.7 * plain
    off = np.mean([calibration_error(*drawn(600, seed, 0.15)) for seed in range(100)])
    assert abs(off - 0.15) < 0.01


def test_the_mean_of_a_folded_normal():
    draws = np.abs(np.random.default_rng(0).normal(0.03, 0.05, 1_000_000)).mean()
    assert abs(folded_mean(np.array([0.03]), np.array([0.05]))[0] - draws) < 2e-4


def test_overconfident_candidates_show_and_the_interval_lies_about_the_value(label_evidence):
    label_evidence.models["weak"].table.mul_(20.0)
    measured = expected_calibration_error.measure(label_evidence)
    assert measured["weak"].value > 0.2
    assert measured["weak"].low < measured["weak"].value < measured["weak"].high <= 1
    assert measured["weak"].better == "lower"
