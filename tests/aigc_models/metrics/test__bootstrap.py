import math

import numpy as np
import pytest

from aigc_models.metrics._bootstrap import averages, compared, interval


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


def test_few_items_widen_an_interval_as_student_has_it_and_one_item_has_none():
    draws = np.linspace(-1, 1, 1001)
    assert interval(draws, 0.0, 4)[1] / interval(draws, 0.0)[1] == pytest.approx(2.776 / 1.96, rel=1e-3)
    assert interval(draws, 0.0, 0) == (-math.inf, math.inf)
    alone = averages({"a": np.ones(1), "b": np.zeros(1)}, "unit", "lower", 0)["a"]
    assert (alone.low, alone.versus["b"].high) == (-math.inf, math.inf)


def test_no_interval_reaches_beyond_what_a_figure_can_be():
    draws = {"a": np.linspace(-1, 1, 101), "b": np.linspace(1, -1, 101)}
    measurements = compared({"a": 0.1, "b": 0.9}, draws, "share", "higher", bounds=(0.0, 1.0))
    assert (measurements["a"].low, measurements["b"].high) == (0.0, 1.0)
    assert (measurements["a"].versus["b"].low, measurements["b"].versus["a"].high) == (-1.0, 1.0)


@pytest.mark.parametrize("items", [20, 150])
def test_95_percent_of_the_intervals_of_a_mean_and_of_a_difference_hold_the_truth(items):
    random, hits = np.random.default_rng(items), []
    for seed in range(400):
        base = random.gamma(4.0, size=items)
        figures = {"a": base + random.normal(size=items), "b": base}
        measurement = averages(figures, "unit", "lower", seed)["a"]
        difference = measurement.versus["b"]
        hits.append([measurement.low <= 4 <= measurement.high, difference.low <= 0 <= difference.high])
    assert (np.mean(hits, axis=0) >= 0.92).all()
    assert (np.mean(hits, axis=0) <= 0.98).all()
