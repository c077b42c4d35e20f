import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from aigc_models.metrics._shares import difference_edges, repeats_variance, share_edges, shares, wilson


@pytest.mark.parametrize("right", [0, 3, 57, 60])
def test_a_share_s_interval_is_wilson_s(right):
    table = (np.arange(60) < right).astype(float)[None]
    assert share_edges(table) == pytest.approx(proportion_confint(right, 60, method="wilson"), abs=1e-6)


@pytest.mark.parametrize("share", [0.01, 0.08, 0.5])
def test_the_interval_holds_the_true_share_about_19_times_in_20(share: float) -> None:
    counts, items = np.arange(129), 128
    chances = [math.comb(items, int(k)) * share**k * (1 - share) ** (items - k) for k in counts]
    bounds = [wilson(k / items, items) for k in counts]
    held = sum(chance for chance, (low, high) in zip(chances, bounds, strict=True) if low <= share <= high)
    assert 0.93 < held < 0.99


def test_a_difference_s_interval_is_that_of_bonett_and_price_by_hand():
    table = np.array([[1.0] * 12 + [-1.0] * 4 + [0.0] * 84])
    one, other = 13 / 102, 5 / 102
    half = 1.96 * np.sqrt((one + other - (one - other) ** 2) / 102)
    assert difference_edges(table) == pytest.approx((one - other - half, one - other + half), abs=1e-4)


def test_the_two_items_of_a_difference_differ_no_more_than_the_others():
    one, none = np.array([1.0, -1.0] + [0.0] * 98), np.zeros(100)
    wide, narrow = np.stack([one, one, one]), np.stack([one, none, none])
    low, high = difference_edges(narrow)
    assert np.ptp(difference_edges(wide)) == pytest.approx(np.ptp(difference_edges(one[None])))
    assert 0 < high - low < np.ptp(difference_edges(wide)) / 1.5
    assert difference_edges(none[None])[1] > 0.02, "no difference at all is not certain"


def test_all_right_is_not_certain_and_nothing_lies_beyond_0_and_1():
    measurements = shares({"all": np.ones(20), "none": np.zeros(20), "same": np.ones(20)}, "higher")
    assert measurements["all"].high == measurements["all"].value == 1
    assert 0.8 < measurements["all"].low < 0.9
    assert 0.1 < measurements["none"].high < 0.2
    assert measurements["none"].low == 0
    assert measurements["all"].versus["same"].low < 0 < measurements["all"].versus["same"].high
    assert 0.6 < measurements["all"].versus["none"].low < measurements["all"].versus["none"].high == 1


def test_of_no_items_there_is_neither_share_nor_interval():
    measurement = shares({"a": np.zeros(0), "b": np.zeros(0)}, "higher")["a"]
    assert np.isnan(measurement.value)
    assert (measurement.low, measurement.high) == (0, 1)


def test_repeats_that_differ_widen_an_interval_and_repeats_that_agree_do_not():
    one = (np.arange(100) < 80).astype(float)
    same, apart = np.stack([one, one, one]), np.stack([np.roll(one, at) * keep for at, keep in ((0, 1), (0, 1), (0, 0.5))])
    assert repeats_variance(same) == pytest.approx(0, abs=1e-12)
    assert share_edges(same) == pytest.approx(share_edges(one[None]))
    low, high = share_edges(apart)
    assert high - low > 2 * np.ptp(share_edges(one[None]))


@pytest.mark.parametrize(("share", "items", "between"), [(0.95, 30, 0.0), (0.8, 170, 0.0), (0.9, 170, 0.01)])
def test_95_percent_of_the_intervals_hold_the_truth(share, items, between):
    """Twelve classifiers of one pool, which agree on most items; the other candidate is one hundredth worse.

    `between`: the deviation of pools, and of classifiers of the same pool.
    """
    random, hits = np.random.default_rng(items), []
    for _ in range(600):
        easy = random.beta(8 * share, 8 * (1 - share), items)
        noise = random.normal(size=(2, 12, 1)) + random.normal(size=(2, 1, 1))
        skill = np.clip(easy + between * noise - np.array([[[0.0]], [[0.01]]]), 0, 1)
        one, other = (random.random((2, 1, items)) < skill).astype(float)
        measurement = shares({"one": one, "other": other}, "higher")["one"]
        difference = measurement.versus["other"]
        hits.append([measurement.low <= share <= measurement.high, difference.low <= 0.01 <= difference.high])
    value, apart = np.mean(hits, axis=0)
    assert 0.92 <= value <= 0.98
    assert 0.92 <= apart <= (0.98 if items > 100 else 1), "of few items hardly any tells two candidates apart"
