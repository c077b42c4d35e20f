import numpy as np

from aigc_models.metrics._bootstrap import averages, block_resamples
from aigc_models.metrics._windows import side_by_side


def cut(series, stride, length=12):
    return np.stack([series[:, at : at + length] for at in range(0, series.shape[1] - length, stride)])


def test_series_side_by_side_are_counted():
    random = np.random.default_rng(0)
    one, two, three = (cut(random.normal(size=(2, 80)), 3) for _ in range(3))
    assert side_by_side(one, 3) == 1
    assert side_by_side(np.stack([one, two, three], axis=1).reshape(-1, 2, 12), 3) == 3
    assert side_by_side(random.normal(size=(20, 2, 12)), 3) == 1


def test_blocks_are_runs_of_neighbours():
    rows = block_resamples(100, 50, 0, 10)
    assert rows.shape == (50, 100)
    assert (np.diff(rows.reshape(50, 10, 10), axis=2) == 1).all()
    assert rows.min() >= 0
    assert rows.max() < 100


def test_intervals_of_dependent_items_hold_the_truth_where_a_plain_bootstrap_does_not():
    random, hits = np.random.default_rng(0), {1: 0, 30: 0}
    for _ in range(60):
        noise = random.normal(size=420)
        figures = np.convolve(noise, np.ones(20) / 20, mode="valid")  # neighbours share nineteen of twenty parts
        for block in hits:
            measurement = averages({"one": figures}, "", "lower", 0, block)["one"]
            hits[block] += measurement.low < 0 < measurement.high
    assert hits[30] >= 48
    assert hits[1] < 40
