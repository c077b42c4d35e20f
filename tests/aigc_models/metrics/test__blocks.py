import numpy as np
import pytest

from aigc_models.metrics._blocks import block_draws, overlap
from aigc_models.metrics._bootstrap import ALL, compared, interval


def spans_of(count, horizon, stride=1, first=0):
    begins = first + stride * np.arange(count, dtype=np.float64)
    return np.stack([begins, begins + horizon - 1], axis=1)


def test_windows_that_share_steps_are_counted_by_their_times():
    assert overlap(spans_of(50, 1)) == 1
    assert overlap(spans_of(50, 10)) == 10
    assert overlap(spans_of(50, 10, stride=4)) == 3
    assert overlap(spans_of(50, 10, stride=10)) == 1
    assert overlap(np.concatenate([spans_of(50, 10), spans_of(30, 10, first=500)])) == 10, "a gap shares nothing"


def test_series_that_are_forecast_at_the_same_times_are_drawn_together():
    """Ten series that err alike tell no more than one of them."""
    random = np.random.default_rng(0)
    errors, one = random.normal(size=200), spans_of(200, 1)
    alone = block_draws({"a": errors}, one, 500, 0)
    rows = random.permutation(2000) % 200  # in no order: the times say what belongs together
    together = block_draws({"a": errors[rows]}, one[rows], 500, 0)
    assert together.freedom == alone.freedom
    assert together.means["a"] == pytest.approx(alone.means["a"])


def test_too_little_time_gives_no_interval_that_a_gate_could_pass():
    """Twenty windows of 26 weeks are one block, whatever is drawn: a bootstrap of it has no width at all."""
    figures = {"a": np.random.default_rng(0).normal(size=20) - 5, "b": np.zeros(20)}
    means, freedom = block_draws(figures, spans_of(20, 26), 100, 0)
    assert freedom == 0
    measurement = compared({"a": -5.0, "b": 0.0}, means, "unit", "lower", freedom)["a"]
    assert (measurement.low, measurement.high) == ALL
    assert (measurement.versus["b"].low, measurement.versus["b"].high) == ALL


def test_a_series_with_fewer_windows_counts_by_its_windows():
    spans = np.concatenate([spans_of(100, 1), spans_of(50, 1, first=50)])
    figures = np.concatenate([np.zeros(100), np.ones(50)])
    means = block_draws({"a": figures}, spans, 400, 0).means["a"]
    assert means.mean() == pytest.approx(1 / 3, abs=0.08)


@pytest.mark.parametrize(("horizon", "count", "depends"), [(10, 100, 0.0), (26, 400, 0.5), (1, 500, 0.5)])
def test_95_percent_of_the_intervals_hold_the_truth(horizon, count, depends):
    random, hits = np.random.default_rng(horizon), 0
    for seed in range(300):
        errors = random.normal(size=count + horizon + 29)
        for at in range(1, len(errors)):
            errors[at] += depends * errors[at - 1]
        figures = np.convolve(errors[30:], np.ones(horizon) / horizon, mode="valid")
        means, freedom = block_draws({"a": figures}, spans_of(count, horizon), 200, seed)
        low, high = interval(means["a"], float(figures.mean()), freedom)
        hits += low <= 0 <= high
    assert 0.92 <= hits / 300 <= 0.98
