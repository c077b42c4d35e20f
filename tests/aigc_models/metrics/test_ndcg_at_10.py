"""Against scikit-learn, and what is left out, tied, repeated and unknown."""

import numpy as np
import pytest
import torch
from sklearn.metrics import ndcg_score

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import hit_rate_at_10, ndcg_at_10
from aigc_models.modalities.events import Format
from aigc_models.sequences import Sequences

ITEMS = 30
SHAPE = Shape("events", (), Format(kind="history", length=16, items=tuple(map(str, range(ITEMS)))), "recommend")
END = ITEMS + 1


class Fixed:
    """Says the same of row n of every set; rows are asked in order."""

    def __init__(self, table: np.ndarray) -> None:
        self.table, self.at = torch.from_numpy(table).float(), 0

    def recommend(self, batch):
        self.at += len(batch)
        return self.table[self.at - len(batch) : self.at]


def evidence(histories, models, train=((1, 2, 3, END),), **more):
    test, train = (Corpus("events", Sequences.of(rows), np.zeros(len(rows), dtype=np.int64)) for rows in (histories, train))
    return Evidence(train, test, test, SHAPE, models, {}, **more)


def test_as_scikit_learn_counts_it() -> None:
    random = np.random.default_rng(0)
    histories = [[*random.permutation(ITEMS)[: random.integers(3, 9)] + 1, END] for _ in range(150)]
    tables = {name: random.normal(size=(150, ITEMS + 1)) for name in ("one", "other")}
    expected = {}
    for name, table in tables.items():
        scores = table.copy()
        scores[:, 0] = -np.inf
        for row, history in enumerate(histories):
            scores[row, history[:-2]] = -np.inf
        truth = np.eye(ITEMS + 1)[[history[-2] for history in histories]]
        expected[name] = ndcg_score(truth, np.maximum(scores, -1e9), k=10)
    one = evidence(histories, {name: Fixed(table) for name, table in tables.items()})
    measured = ndcg_at_10.measure(one)
    assert {name: value.value for name, value in measured.items()} == pytest.approx(expected)
    difference = measured["one"].versus["other"]
    assert difference.value == pytest.approx(expected["one"] - expected["other"])
    assert difference.low < difference.value < difference.high
    assert (measured["one"].better, measured["one"].unit) == ("higher", "NDCG")
    hits = hit_rate_at_10.measure(one)["one"]
    assert hits.value > measured["one"].value
    assert hits.low < hits.value < hits.high


def test_ties_are_broken_at_random_and_alike() -> None:
    """Where all items are tied, ten of those that are left are recommended by chance."""
    random = np.random.default_rng(1)
    histories = [[*random.permutation(ITEMS)[:5] + 1, END] for _ in range(2000)]
    flat = np.zeros((2000, ITEMS + 1))
    measured = hit_rate_at_10.measure(evidence(histories, {"a": Fixed(flat), "b": Fixed(flat)}, seed=4))
    assert measured["a"].value == pytest.approx(10 / 26, abs=0.03)
    assert measured["a"].value == measured["b"].value


def rising(rows: int) -> Fixed:
    """Item 1 first, then 2, and so on; the unknown item before all."""
    return Fixed(np.tile(-np.arange(ITEMS + 1.0), (rows, 1)))


def test_what_a_history_holds_is_left_out_but_not_the_target() -> None:
    ndcg = ndcg_at_10.measure(evidence([[1, 2, 3, END], [1, 2, 2, END], [0, 2, END]], {"m": rising(3)}))["m"].value
    places = [0, 0, 1]  # 3 behind nothing, since 1 and 2 are left out; 2 though it is there; 2 behind 1
    assert ndcg == pytest.approx(np.mean([1 / np.log2(place + 2) for place in places]))


def test_nothing_is_left_out_where_items_come_again() -> None:
    songs = [(1, 2, 1, 2, END)]
    ndcg = ndcg_at_10.measure(evidence([[1, 2, 3, END]], {"m": rising(1)}, songs))["m"].value
    assert ndcg == pytest.approx(1 / np.log2(2 + 2))


def test_an_unknown_item_cannot_be_recommended() -> None:
    assert ndcg_at_10.measure(evidence([[1, 2, 0, END], [1, 2, END]], {"m": rising(2)}))["m"].value == pytest.approx(0.5)


def test_who_does_not_recommend_is_not_measured() -> None:
    assert not ndcg_at_10.applies(evidence([[1, 2, END]], {"m": object()}))
    assert set(ndcg_at_10.measure(evidence([[1, 2, END]], {"m": object(), "n": rising(1)}))) == {"n"}
