import numpy as np
import pytest
from scipy.spatial.distance import cdist

from aigc_models.metrics import _neighbours
from aigc_models.metrics._neighbours import Neighbours, neighbours, without_largest


@pytest.fixture
def rows():
    random = np.random.default_rng(0)
    return random.standard_normal((40, 6)).astype(np.float32), random.standard_normal((9, 6)).astype(np.float32)


def but_for_one(differences):
    return without_largest(differences**2, 1)


@pytest.mark.parametrize("size", [3, 7, 40])
def test_all_pairs_give_the_same_in_pieces_of_any_size(rows, size, monkeypatch):
    monkeypatch.setattr(_neighbours, "PAIRS", 24)  # four pairs at a time
    train, asked = rows
    near = neighbours(lambda: (train[start : start + size] for start in range(0, 40, size)), asked, but_for_one, count=5)
    expected = np.sort(cdist(asked, train), axis=1)[:, :5]
    assert near.whole == pytest.approx(expected, abs=1e-5)
    order = np.argsort(cdist(asked, train), axis=1)[:, :5]
    squares = np.sort((asked[:, None] - train[order]) ** 2, axis=2)[..., :-1]
    assert near.most == pytest.approx(np.sort(np.sqrt(squares.sum(2)), axis=1), abs=1e-5)


def test_there_may_be_fewer_than_are_asked_for(rows):
    train, asked = rows
    near = neighbours(lambda: iter([train[:2], train[2:3]]), asked, but_for_one)
    assert near.whole.shape == near.most.shape == (9, 3)


def test_relative_to_the_next_ones():
    distances = np.array([[0.0, 2.0, 4.0], [3.0, 2.0, 4.0], [0.0, 0.0, 0.0], [1e-7, 1e-7, 2e-7]])
    assert Neighbours(distances, distances).relative().tolist() == pytest.approx([0, 1, 1, 1])


def test_the_places_that_differ_most_are_left_out():
    squares = np.array([[1.0, 4.0, 9.0, 16.0]])
    assert without_largest(squares, 0)[0] == pytest.approx(np.sqrt(30))
    assert without_largest(squares, 2)[0] == pytest.approx(np.sqrt(5))
