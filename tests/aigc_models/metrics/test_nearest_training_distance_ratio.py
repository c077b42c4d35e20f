import numpy as np
import pytest

from aigc_models.metrics import nearest_training_distance_ratio
from aigc_models.metrics.nearest_training_distance_ratio import ratio


def test_a_replay_has_no_distance_and_noise_has_more_than_real_items(picture_evidence):
    measurements = nearest_training_distance_ratio.measure(picture_evidence)
    assert set(measurements) == {"replay", "noisy", "wrong"}
    assert measurements["replay"].value == pytest.approx(0, abs=1e-3)
    assert measurements["replay"].high < 0.5
    assert measurements["noisy"].low > 1
    assert measurements["noisy"].versus["replay"].low > 1


def test_medians_at_equal_numbers():
    assert ratio(np.array([1.0, 2.0, 9.0]), np.array([4.0, 4.0, 5.0])) == 0.5


def test_sounds_are_compared_by_their_spectrograms(sound_evidence):
    measurements = nearest_training_distance_ratio.measure(sound_evidence)
    assert measurements["replay"].value == pytest.approx(0, abs=0.05)
    assert measurements["noisy"].low > 1.5
