import numpy as np
import pytest
from scipy.linalg import sqrtm

from aigc_models.metrics import frechet_distance, frechet_distance_real
from aigc_models.metrics.frechet_distance import frechet


def test_against_the_matrix_square_root():
    random = np.random.default_rng(0)
    first, second = random.normal(size=(50, 6)), random.normal(size=(50, 6)) @ random.normal(size=(6, 6)) + 0.5
    one, other = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    expected = np.square(first.mean(0) - second.mean(0)).sum() + np.trace(one + other - 2 * np.real(sqrtm(one @ other)))
    assert frechet(first, second) == pytest.approx(expected)
    assert frechet(first, first) == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
def test_worse_pictures_lie_further_and_real_ones_nearest(picture_evidence):
    measurements = frechet_distance.measure(picture_evidence)
    real = frechet_distance_real.measure(picture_evidence)["real"]
    assert measurements["noisy"].value > 3 * measurements["replay"].value
    assert measurements["replay"].value == pytest.approx(real.value, rel=0.2)
    assert measurements["noisy"].versus["replay"].low > 0
    assert real.low < real.value < real.high


def test_without_labels_it_uses_principal_components(unlabelled_evidence):
    measurements = frechet_distance.measure(unlabelled_evidence)
    assert measurements["noisy"].value > 2 * measurements["replay"].value


def test_sounds_are_judged_by_the_same_classifier(sound_evidence):
    measurements = frechet_distance.measure(sound_evidence)
    assert measurements["noisy"].value > 3 * measurements["replay"].value
