from types import SimpleNamespace

import numpy as np
import pytest

from tasks.dataset.diversity import MOST, distribution, distributions, diverse, histogram, rounded, sample, vendi_score


def reference(features: np.ndarray) -> float:
    """The Vendi score as its definition reads: eigenvalues of the whole n x n matrix of similarities."""
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    shares = np.linalg.eigvalsh(units @ units.T / len(units))
    shares = shares[shares > 1e-12]
    return float(np.exp(-np.sum(shares * np.log(shares))))


@pytest.mark.parametrize(
    ("features", "score"),
    [
        (np.ones((9, 3)), 1.0),  # all the same
        (np.eye(7) * 4, 7.0),  # none like another
        (np.repeat(np.eye(3), 5, axis=0), 3.0),  # five copies of three
        (np.array([[1.0, 0], [0, 1], [0, 1], [0, 1]]), np.exp(np.log(4) / 4 + 0.75 * np.log(4 / 3))),  # shares 1/4 and 3/4
        (np.vstack([np.zeros((2, 4)), np.eye(4)[:2]]), np.exp(1.5 * np.log(2))),  # shares 1/2, 1/4, 1/4
    ],
)
def test_vendi_score_by_hand(features: np.ndarray, score: float) -> None:
    assert vendi_score(features) == pytest.approx(score)


@pytest.mark.parametrize("shape", [(40, 7), (7, 40)])
def test_vendi_score_is_that_of_its_definition(shape: tuple[int, int]) -> None:
    features = np.random.default_rng(0).normal(size=shape)
    assert vendi_score(features.astype(np.float32)) == pytest.approx(reference(features), rel=1e-5)
    assert vendi_score(features * 3) == pytest.approx(vendi_score(features[::-1]))


MODALITY = SimpleNamespace(
    spread=lambda contents: {"sum": sum(contents)},
    embedding=lambda contents: np.eye(4, dtype=np.float32)[np.array(contents) % 4],
    measures=lambda contents: {"size": np.array(contents, dtype=np.float64)},
)


def test_figures_are_of_a_bounded_sample() -> None:
    assert diverse(MODALITY, range(8)) == {"sum": 28, "vendi_score": 4, "vendi_items": 8}
    assert diverse(MODALITY, range(MOST + 5))["vendi_items"] == MOST
    assert distributions(MODALITY, range(MOST + 5))["from_items"] == MOST
    assert distributions(MODALITY, range(3))["measures"]["size"]["quantiles"] == [0, 0.1, 1, 1.9, 2]


def test_one_item_has_no_effective_number_and_none_has_no_distribution() -> None:
    assert diverse(MODALITY, [3]) == {"sum": 3}
    assert distributions(MODALITY, []) == {} == diverse(MODALITY, [])
    assert distributions(SimpleNamespace(), [1]) == {}


def test_the_sample_is_all_of_a_few_and_even_of_many() -> None:
    assert sample([1, 2, 3]) == [1, 2, 3]
    assert sample(range(10), 5) == [0, 2, 4, 6, 8]


def test_a_histogram_counts_every_value() -> None:
    values = np.random.default_rng(1).lognormal(3, 1, 5000)
    figures = histogram(values)
    assert sum(figures["counts"]) == 5000
    inner = figures["counts"][1:-1]
    edges = figures["start"] + figures["width"] * np.arange(1, len(figures["counts"]))
    assert inner == pytest.approx(np.histogram(values, edges)[0], abs=2)


@pytest.mark.parametrize(
    ("values", "bins"),
    [
        ([0.0, 1, 1, 4], {"start": 0, "width": 1, "counts": [1, 2, 0, 0, 1]}),
        ([0.3] * 5, {"start": 0, "width": 1, "counts": [5]}),
    ],
)
def test_a_few_values(values: list[float], bins: dict[str, object]) -> None:
    assert histogram(np.array(values)) == bins


def test_whole_numbers_stay_whole_in_wide_bins() -> None:
    figures = histogram(np.arange(1000.0))
    assert (figures["width"], len(figures["counts"])) == (50, 20)


def test_what_is_no_number_is_missing() -> None:
    assert distribution(np.array([1.0, np.nan, 3.0, np.inf]))["missing"] == 2
    assert distribution(np.array([np.nan])) == {}


def test_the_last_digits_of_a_processor_do_not_count() -> None:
    values = np.array([0.1, 1234.5678, -7e-9, 0.0])
    assert (rounded(values) == rounded(values * (1 + 1e-12))).all()
    assert rounded(values).tolist() == [0.1, 1234.57, -7e-9, 0.0]
