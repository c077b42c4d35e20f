from __future__ import annotations

import math

import numpy as np
import pytest

from tasks.version.statistics import (
    CHI,
    KOLMOGOROV,
    SMOOTHING,
    adjusted,
    categories,
    chi_squared,
    numbers,
    stability,
    stability_of_numbers,
)

RANDOM = np.random.default_rng(0)


def test_the_stability_index_is_the_sum_over_the_bins():
    old, new = (30 + SMOOTHING) / (40 + 2 * SMOOTHING), (10 + SMOOTHING) / (20 + 2 * SMOOTHING)
    wanted = (new - old) * math.log(new / old) + (old - new) * math.log((1 - new) / (1 - old))
    assert stability([30, 10], [10, 10]) == pytest.approx(wanted)
    assert stability([5, 5], [50, 50]) == pytest.approx(0)
    assert math.isfinite(stability([10, 0], [0, 10]))


def test_bins_hold_a_tenth_of_what_was_there_before():
    before = RANDOM.normal(0, 1, 4000)
    assert stability_of_numbers(before, RANDOM.normal(0, 1, 4000)) < 0.02
    # a normal distribution that moves by one standard deviation has an index of about 1
    assert stability_of_numbers(before, RANDOM.normal(1, 1, 4000)) == pytest.approx(1, abs=0.15)
    assert stability_of_numbers(np.zeros(50), np.zeros(50)) == pytest.approx(0)
    assert min(stability_of_numbers(np.zeros(50), np.full(50, side)) for side in (-1.0, 1.0)) > 1


def test_few_different_numbers_are_categories():
    channels = numbers("channels", np.array([1.0] * 90 + [3.0] * 10), np.array([1.0] * 50 + [3.0] * 50))
    assert channels is not None
    assert (channels.test, channels.before, channels.after) == (CHI, {"1": 0.9, "3": 0.1}, {"1": 0.5, "3": 0.5})
    other = numbers("brightness", RANDOM.normal(0, 1, 50), RANDOM.normal(0, 1, 50))
    assert other is not None
    assert other.test == KOLMOGOROV
    assert numbers("rate", np.ones(30), np.ones(40)) is None


def test_rare_categories_are_left_out_of_the_test():
    assert chi_squared({"a": 50, "b": 2}, {"a": 50, "c": 3}) is None
    outcome = chi_squared({"a": 50, "b": 50, "c": 1}, {"a": 50, "b": 50})
    assert outcome is not None
    assert outcome.p == pytest.approx(1)
    assert categories("label", {}, {"a": 3}) is None


def test_p_values_allow_for_the_number_of_tests():
    """Of a hundred tests where nothing moved, some are below 0.05 by chance, none once they are adjusted."""
    features = [numbers(f"noise {at}", RANDOM.normal(0, 1, 200), RANDOM.normal(0, 1, 200)) for at in range(100)]
    corrected = adjusted([feature for feature in features if feature])
    assert min(feature.p for feature in corrected) < 0.05
    assert min(feature.p_adjusted for feature in corrected) > 0.05
    assert not any(feature.moved for feature in corrected)


def test_a_move_that_is_sure_but_small_is_not_said_to_have_moved():
    small = numbers("small", RANDOM.normal(0, 1, 20_000), RANDOM.normal(0.1, 1, 20_000))
    large = numbers("large", RANDOM.normal(0, 1, 20_000), RANDOM.normal(1, 1, 20_000))
    corrected = adjusted([feature for feature in (small, large) if feature])
    assert [(feature.name, feature.moved) for feature in corrected] == [("large", True), ("small", False)]
    assert corrected[1].p_adjusted < 1e-6
    assert adjusted([]) == ()
