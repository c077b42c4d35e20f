import numpy as np

from aigc_models.metrics import coverage
from aigc_models.metrics.coverage import covered


def test_radius_is_the_distance_to_the_kth_neighbour():
    real = np.array([[0.0], [1.0], [2.0], [10.0]])
    assert covered(real, np.array([[0.5]]), neighbours=1).tolist() == [1, 1, 0, 0]
    assert covered(real, np.array([[3.0]]), neighbours=1).tolist() == [0, 0, 1, 1]


def test_one_picture_over_and_over_covers_little(picture_evidence):
    measurements = coverage.measure(picture_evidence)
    assert measurements["replay"].value > 0.9
    assert measurements["noisy"].value < measurements["replay"].value
    assert covered(np.random.default_rng(0).normal(size=(100, 3)), np.zeros((100, 3))).mean() < 0.5
