import numpy as np
import pytest

from aigc_models.metrics import nearest_training_distance_ratio
from aigc_models.metrics.nearest_training_distance_ratio import measured, ratios


def test_a_replay_has_no_distance_and_noise_has_more_than_real_items(picture_evidence):
    measurements = nearest_training_distance_ratio.measure(picture_evidence)
    assert set(measurements) == {"replay", "noisy", "wrong"}
    assert measurements["replay"].value == pytest.approx(0, abs=1e-3)
    assert measurements["replay"].high < 0.5
    assert measurements["noisy"].low > 1
    assert measurements["noisy"].versus["replay"].low > 1


def test_medians_at_equal_numbers():
    hands, whole = np.array([[1.0, 2.0, 9.0], [3.0, 3.0, 3.0]]), np.arange(3)[None]
    assert ratios(hands, np.array([4.0, 4.0, 5.0]), whole).tolist() == [0.625]


def test_95_percent_of_the_intervals_hold_the_truth():
    """Distances of labels that differ, in two hands; the generated lie a tenth nearer."""
    hits = []
    for seed in range(150):
        random = np.random.default_rng(seed)
        level = 1.0 + random.integers(0, 3, 120)
        test, generated = (level * random.gamma(9, size=(2, 120)) for _ in range(2))
        measurement = measured({"a": 0.9 * generated, "b": test[:1]}, test[1], seed)["a"]
        difference = measurement.versus["b"]
        hits.append([measurement.low <= 0.9 <= measurement.high, difference.low <= -0.1 <= difference.high])
    assert (np.mean(hits, axis=0) >= 0.92).all()
    assert (np.mean(hits, axis=0) <= 0.985).all()


def test_sounds_are_compared_by_their_spectrograms(sound_evidence):
    measurements = nearest_training_distance_ratio.measure(sound_evidence)
    assert measurements["replay"].value == pytest.approx(0, abs=0.05)
    assert measurements["noisy"].low > 1.5
