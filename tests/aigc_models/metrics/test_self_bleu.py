"""Held against figures of sacrebleu 2.6 (`sentence_score`, smoothing `exp`, effective order, no tokeniser)."""

import numpy as np
import pytest

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import self_bleu
from aigc_models.modalities import text

SHAPE = Shape("text", (), text.Format(length=64))
ITEMS = [
    "the cat sat on the mat",
    "the cat sat on a red mat today",
    "a dog ran over the green hill",
    "the the the cat",
    "hello",
]


def corpus(texts: list[str]) -> Corpus:
    return Corpus("text", text.encode(texts, SHAPE.format), np.zeros(len(texts), dtype=np.int64))


def measure(samples: list[str], real: list[str]) -> dict:
    test = corpus(real)
    return self_bleu.measure(Evidence(test, test, test, SHAPE, {}, {"one": corpus(samples)}))


def test_copies_of_one_text_score_one_and_texts_without_a_common_word_nothing() -> None:
    measurements = measure(["a b c d e"] * 4, ["a b c d e", "f g h i j", "k l m n o", "p q r s t"])
    assert measurements["one"].value == pytest.approx(1)
    assert measurements["real"].value == 0


def test_each_item_is_held_against_the_others_alone() -> None:
    sacrebleu = [0.47601165492440045, 0.38260294162784453, 0.07809849842300637, 0.21444097124017666, 0.0]
    assert self_bleu.self_bleu([item.split() for item in ITEMS]) == pytest.approx(np.mean(sacrebleu))


def test_names_are_measured_at_equal_numbers_and_empty_ones_are_left_out() -> None:
    alike = ["a b c d e", "a b c d e"]
    measurements = measure(["", *alike], ["f g h i j", *alike, *alike])
    assert measurements["one"].value == pytest.approx(1)
    assert measurements["real"].value == pytest.approx(2 / 3)
    assert 0 <= measurements["real"].low <= measurements["real"].high <= 1
