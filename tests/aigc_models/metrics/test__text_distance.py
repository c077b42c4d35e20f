"""A copy lies at 0, a near copy nearer than other text of the same kind."""

from collections.abc import Mapping

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.metrics import _text_distance
from aigc_models.modalities import text

SHAPE = Shape("text", (), text.Format(length=64))


def corpus(texts: list[str]) -> Corpus:
    return Corpus("text", text.encode(texts, SHAPE.format), np.zeros(len(texts), dtype=np.int64))


def nearest(train: Corpus, groups: Mapping[str, Corpus]) -> dict[str, np.ndarray]:
    return {name: near.whole[:, 0] for name, near in _text_distance.nearest(train, groups, SHAPE).items()}


TRAIN = ["return the mean of an array", "open a file for reading", "draw a line between two points", "sort the rows of a table"]


def test_copies_are_at_zero_and_empty_texts_at_one() -> None:
    distances = nearest(corpus(TRAIN), {"same": corpus(TRAIN), "empty": corpus([""])})
    assert distances["same"] == pytest.approx(np.zeros(4), abs=1e-5)
    assert distances["empty"].tolist() == [1.0]


def test_texts_shorter_than_an_n_gram_are_compared_by_what_they_have() -> None:
    distances = nearest(corpus(["ab", "cd"]), {"made": corpus(["ab", "cd", "x", ""])})
    assert distances["made"] == pytest.approx([0, 0, 1, 1], abs=1e-5)


def test_near_copy_is_nearer_than_new_text() -> None:
    groups = {"near": corpus(["open the file for reading"]), "new": corpus(["remove every column that is empty"])}
    distances = nearest(corpus(TRAIN), groups)
    assert 0 < distances["near"][0] < distances["new"][0] < 1


def test_agrees_with_scikit_learn_neighbours() -> None:
    asked = ["mean of rows", "two files", "a point in an array"]
    vectoriser = TfidfVectorizer(analyzer="char", ngram_range=(3, 5), sublinear_tf=True).fit(TRAIN)
    neighbours = NearestNeighbors(n_neighbors=1, metric="cosine").fit(vectoriser.transform(TRAIN))
    expected = neighbours.kneighbors(vectoriser.transform(asked))[0][:, 0]
    assert nearest(corpus(TRAIN), {"a": corpus(asked)})["a"] == pytest.approx(expected, abs=1e-5)


def test_the_next_ones_are_those_of_scikit_learn_too(monkeypatch) -> None:
    monkeypatch.setattr(_text_distance, "NEIGHBOURS", 3)
    asked = ["mean of rows", "two files", "a point in an array", "sort the rows of a table"]
    vectoriser = TfidfVectorizer(analyzer="char", ngram_range=(3, 5), sublinear_tf=True).fit(TRAIN)
    neighbours = NearestNeighbors(n_neighbors=3, metric="cosine").fit(vectoriser.transform(TRAIN))
    expected = neighbours.kneighbors(vectoriser.transform(asked))[0]
    near = _text_distance.nearest(corpus(TRAIN), {"a": corpus(asked)}, SHAPE)["a"]
    assert near.whole == pytest.approx(expected, abs=1e-5)
    assert near.relative()[3] == pytest.approx(0, abs=1e-5)
