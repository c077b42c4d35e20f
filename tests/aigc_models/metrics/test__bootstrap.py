import numpy as np
import pytest

from aigc_models.metrics._bootstrap import averages, interval, statistics


def test_interval_of_a_mean_has_the_textbook_width():
    figure = np.random.default_rng(0).normal(size=400)
    measurement = averages({"a": figure}, "unit", "higher", 0)["a"]
    assert measurement.high - measurement.low == pytest.approx(2 * 1.96 / 20, rel=0.15)
    assert measurement.low < measurement.value < measurement.high


def test_a_paired_difference_is_narrower_than_either():
    base = np.random.default_rng(0).normal(size=300)
    measurements = averages({"a": base + 0.1, "b": base}, "unit", "lower", 0)
    difference = measurements["a"].versus["b"]
    assert difference.value == pytest.approx(0.1)
    assert difference.low == pytest.approx(0.1)
    assert measurements["b"].versus["a"].value == pytest.approx(-0.1)


def test_draws_are_moved_onto_the_value():
    low, high = interval(np.linspace(4, 6, 101), value=2.0)
    assert (low + high) / 2 == pytest.approx(2.0)


def test_both_sides_are_resampled_together():
    reference = np.arange(50.0)[:, None]
    measurements = statistics({"a": reference + 3}, lambda a, b: float(np.mean(a - b)), reference, "unit", "lower", 0)
    assert measurements["a"].low == pytest.approx(3)
    assert measurements["a"].high == pytest.approx(3)
