"""Counted by hand, at equal numbers of pairs."""

import numpy as np
import pytest

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import distinct_2
from aigc_models.modalities import text

SHAPE = Shape("text", (), text.Format(length=64))


def corpus(texts: list[str]) -> Corpus:
    return Corpus("text", text.encode(texts, SHAPE.format), np.zeros(len(texts), dtype=np.int64))


def measure(samples: list[str], real: list[str]) -> dict:
    test = corpus(real)
    return distinct_2.measure(Evidence(test, test, test, SHAPE, {}, {"one": corpus(samples)}))


def test_share_of_distinct_pairs() -> None:
    measurements = measure(["a b a b", "a b"], ["a b c d e"])
    assert measurements["one"].value == pytest.approx(2 / 4)  # ab ba ab | ab
    assert measurements["real"].value == pytest.approx(1.0)


def test_all_are_cut_to_the_same_number_of_pairs() -> None:
    """The second item of the real ones would be a repeat, but is beyond the number."""
    measurements = measure(["a b c"], ["a b c", "a b c", "a b c"])
    assert measurements["real"].value == measurements["one"].value == pytest.approx(1.0)


def test_no_pair_goes_across_items_and_words_may_be_absent() -> None:
    assert distinct_2.word_pairs("one") == []
    measurements = measure(["", "x"], ["a b"])
    assert measurements["one"].value == 0


def test_who_writes_nothing_cuts_nobody() -> None:
    test = corpus(["a b c"])
    samples = {"empty": corpus(["", ""]), "full": corpus(["a b", "b c"])}
    measurements = distinct_2.measure(Evidence(test, test, test, SHAPE, {}, samples))
    assert {name: one.value for name, one in measurements.items()} == {"empty": 0, "full": 1, "real": 1}


def test_jackknife_is_that_of_leaving_each_item_out() -> None:
    items = [[(b"a", b"b"), (b"b", b"c")], [(b"a", b"b")], [(b"d", b"e"), (b"d", b"e"), (b"x", b"y")], [(b"b", b"c")]]
    without = []
    for left in range(len(items)):
        rest = [pair for index, item in enumerate(items) if index != left for pair in item]
        without.append(len(set(rest)) / len(rest))
    error = np.sqrt((len(items) - 1) * np.var(without))
    measurement = distinct_2.distinct(items)
    assert measurement.low == pytest.approx(max(0.0, measurement.value - 1.96 * error))
    assert measurement.high == pytest.approx(min(1.0, measurement.value + 1.96 * error))
