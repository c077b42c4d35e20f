"""Texts of the same source, of another one, and the same text over and over."""

import numpy as np

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import frechet_text_distance
from aigc_models.modalities import text

SHAPE = Shape("text", (), text.Format(length=64))
NAMES, DEEDS = ("Anna", "Bert", "Carla", "Dora"), ("sings in the morning", "runs to the station", "reads a long letter")


def corpus(texts: list[str]) -> Corpus:
    return Corpus("text", text.encode(texts, SHAPE.format), np.zeros(len(texts), dtype=np.int64))


def drawn(seed: int, names=NAMES, deeds=DEEDS) -> Corpus:
    random = np.random.default_rng(seed)
    return corpus([f"{random.choice(names)} {random.choice(deeds)} at {random.integers(1, 13)}" for _ in range(60)])


def test_other_texts_lie_farther_away_than_texts_of_the_same_source() -> None:
    samples = {"same": drawn(1), "other": drawn(2, ("x = y", "z = 1"), ("+ 3", "* 7")), "one": corpus(["Anna runs at 3"] * 60)}
    evidence = Evidence(drawn(3), drawn(4), drawn(5), SHAPE, {}, samples)
    assert frechet_text_distance.applies(evidence)
    measured = frechet_text_distance.measure(evidence)
    assert measured["same"].value < 0.3 * min(measured["other"].value, measured["one"].value)
    assert measured["other"].versus["same"].low > 0
    assert abs(measured["real"].value - measured["same"].value) < 0.1 * measured["other"].value


def test_of_few_items_nothing_is_told() -> None:
    few = corpus(["a text"] * 4)
    assert not frechet_text_distance.applies(Evidence(few, few, few, SHAPE, {}, {"one": few}))
