"""Noise among what a model writes is seen, however well it scores real text."""

import random

import numpy as np
import pytest

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import strange_share
from aigc_models.modalities import text

WORDS = ["the", "ship", "carries", "grain", "to", "a", "harbour", "in", "the", "north"]

SHAPE = Shape("text", (), text.Format(length=90))


def sentences(count: int, seed: int, noise: float = 0.0) -> Corpus:
    chance = random.Random(seed)
    texts = [" ".join(chance.choice(WORDS) for _ in range(10)) for _ in range(count)]
    shaken = ["".join(chance.sample(words, len(words))) if at < noise * count else words for at, words in enumerate(texts)]
    return Corpus("text", text.encode(shaken, text.Format(length=90)), np.zeros(count, dtype=np.int64))


@pytest.fixture(scope="module")
def measurements() -> dict:
    samples = {"ensemble": sentences(80, 4, noise=0.3), "champion": sentences(80, 5)}
    train, validation, test = sentences(150, 1), sentences(40, 2), sentences(80, 3)
    return strange_share.measure(Evidence(train, validation, test, SHAPE, {}, samples))


def test_the_share_of_noise_is_found(measurements) -> None:
    assert 0.3 <= measurements["ensemble"].value < 0.45
    assert measurements["champion"].value < 0.15
    assert measurements["ensemble"].better == "lower"


def test_the_difference_is_paired_and_told_apart(measurements) -> None:
    difference = measurements["ensemble"].versus["champion"]
    assert difference.value == pytest.approx(measurements["ensemble"].value - measurements["champion"].value)
    assert difference.low > 0


def test_it_is_measured_beside_a_champion_alone() -> None:
    items = sentences(4, 1)
    assert not strange_share.applies(Evidence(items, items, items, SHAPE, {}, {"ensemble": items}))
    assert strange_share.applies(Evidence(items, items, items, SHAPE, {}, {"champion": items}))
