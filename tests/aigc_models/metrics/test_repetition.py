"""Counted by hand: runs of four words."""

import numpy as np
import pytest

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import repetition
from aigc_models.modalities import text

SHAPE = Shape("text", (), text.Format(length=64))


def corpus(texts: list[str]) -> Corpus:
    return Corpus("text", text.encode(texts, SHAPE.format), np.zeros(len(texts), dtype=np.int64))


def measure(samples: list[str], real: list[str]) -> dict:
    test = corpus(real)
    return repetition.measure(Evidence(test, test, test, SHAPE, {}, {"one": corpus(samples)}))


def test_who_says_the_same_again_is_told_from_who_does_not() -> None:
    measurements = measure(["a b c d a b c d", "a b c d e"], ["a b c d e f g h", "a b"])
    assert measurements["one"].value == pytest.approx((1 / 5 + 0) / 2)  # abcd bcda cdab dabc abcd | abcd bcde
    assert measurements["real"].value == 0
    assert measurements["one"].versus["real"].value == pytest.approx(0.1)


def test_a_loop_repeats_nearly_all_and_what_is_short_nothing() -> None:
    assert repetition.repeated(["so"] * 40) == pytest.approx(36 / 37)
    assert repetition.repeated(["one", "two", "three"]) == repetition.repeated([]) == 0


def test_scripts_without_spaces_are_read_by_character() -> None:
    assert measure(["白日依山白日依山"], ["白日依山盡黃河入"])["one"].value == pytest.approx(1 / 5)
