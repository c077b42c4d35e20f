"""Held against a search of every run of every sample."""

import random

import numpy as np
import pytest

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import longest_overlap
from aigc_models.modalities import text

SHAPE = Shape("text", (), text.Format(length=64))


def corpus(texts: list[str]) -> Corpus:
    return Corpus("text", text.encode(texts, SHAPE.format), np.zeros(len(texts), dtype=np.int64))


def searched(training: list[str], sample: str) -> int:
    runs = (end - start for start in range(len(sample)) for end in range(start + 1, len(sample) + 1)
            if any(sample[start:end] in one for one in training))  # fmt: skip
    return max(runs, default=0)


@pytest.mark.parametrize("letters", ["ab", "abcdé文"])
def test_every_longest_run_is_found(letters: str) -> None:
    draw = random.Random(1)
    words = ["".join(draw.choices(letters, k=draw.randrange(0, 40))) for _ in range(60)]
    training, samples = words[:30], [*words[30:], words[3], words[3] * 2, "", "xyz", *letters]
    assert longest_overlap.longest(training, samples).tolist() == [searched(training, sample) for sample in samples]


def test_no_run_reaches_from_one_training_text_into_the_next() -> None:
    assert longest_overlap.longest(["one two", "three"], ["one twothree", "two three"]).tolist() == [7, 5]


def test_a_copy_stands_out_from_real_items() -> None:
    train = corpus([f"the {number} swallows of spring number {number * 7}" for number in range(40)])
    real = [f"a {number * 3}th crow in winter, {number}" for number in range(40)]
    samples = {"copy": train, "own": corpus([f"some {number} larks" for number in range(40)])}
    measurements = longest_overlap.measure(Evidence(train, train, corpus(real), SHAPE, {}, samples))
    assert measurements["copy"].unit == "characters"
    assert measurements["copy"].value > 34
    assert measurements["real"].value < 10
    assert measurements["copy"].versus["real"].low > 20
