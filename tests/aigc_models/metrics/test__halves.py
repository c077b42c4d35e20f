import numpy as np
import pytest

from aigc_models.metrics._halves import PAIRS, WIDTH, deviation, halved, weights
from aigc_models.metrics.frechet_distance import distances, moments, roots


def test_weights_come_in_opposite_pairs_after_all_ones():
    made = weights(51, 0)
    assert made.shape == (1 + 2 * PAIRS, 51)
    assert (made[0] == 1).all()
    assert (made[1 : PAIRS + 1] + made[PAIRS + 1 :] == 2).all()
    assert set(np.unique(made[1:])) == {0.5, 1.5}


def test_of_a_mean_it_is_the_textbook_s_deviation():
    rows = np.random.default_rng(0).normal(size=400)
    assert deviation(weights(400, 0) @ rows / 400) == pytest.approx(rows.std() / 20, rel=0.15)


def test_a_difference_of_what_moves_together_has_no_width():
    rows = np.random.default_rng(0).normal(size=100)
    figures = weights(100, 0) @ rows / 100
    measurement = halved({"a": figures + 1, "b": figures}, "unit", "lower")["a"]
    assert measurement.low < measurement.value < measurement.high
    assert measurement.versus["b"].low == pytest.approx(1)


@pytest.mark.parametrize("off", [0.0, 0.3])
def test_95_percent_of_the_intervals_of_frechet_distances_hold_the_truth(off):
    """Two generators, of which one spreads too little or as the other does, at 100 items of 6 features in 3 hands each."""
    weighed, figures = weights(100, 0), {"a": [], "b": [], "difference": []}
    scales = {"a": np.linspace(1 - off, 1, 6), "b": np.ones(6)}
    for seed in range(300):
        random = np.random.default_rng(seed)
        real = moments(random.normal(size=(100, 6)), weighed)
        root = roots(real.covariance)
        draws = {
            name: np.mean([distances(moments(scale * random.normal(size=(100, 6)), weighed), real, root) for _ in range(3)], 0)
            for name, scale in scales.items()
        }
        for name, each in {**draws, "difference": draws["a"] - draws["b"]}.items():
            figures[name].append((each[0], deviation(each)))
    for pairs in figures.values():
        values, deviations = np.array(pairs).T
        assert 0.92 <= np.mean(np.abs(values - values.mean()) <= WIDTH * deviations) <= 0.985
