"""The share of items that say nothing, beside that of real items, and its interval against simulated truth."""

from __future__ import annotations

import numpy as np
import pytest

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import empty_share
from aigc_models.modalities import image, text


def texts(*contents: str) -> Corpus:
    form = text.Format(length=16)
    return Corpus("text", text.encode(contents, form), np.zeros(len(contents), np.int64))


def evidence(test: Corpus, **samples: Corpus) -> Evidence:
    shape = Shape(test.modality, (), form(test))
    return Evidence(test, test, test, shape, {}, samples)


def form(corpus: Corpus) -> object:
    return text.Format(length=16) if corpus.modality == "text" else image.Format(height=4, width=4, channels=1)


def test_it_counts_what_says_nothing_beside_real_items() -> None:
    test = texts("a line", "7", "more", "and so on")
    measurements = empty_share.measure(
        evidence(test, ensemble=texts("", " \n", "oooo", "well"), baseline=texts("", "b c", "d e", "f g"))
    )
    assert {name: one.value for name, one in measurements.items()} == {"ensemble": 0.75, "baseline": 0.25, "real": 0.25}
    assert (measurements["ensemble"].better, measurements["ensemble"].unit) == ("lower", "share")
    assert measurements["ensemble"].versus["real"].value == 0.5


def test_candidates_with_fewer_samples_are_compared_at_equal_numbers() -> None:
    shares = empty_share.measure(evidence(texts("a b", "c d", "e f"), ensemble=texts("", "so"), baseline=texts("", "", "")))
    assert (shares["ensemble"].value, shares["baseline"].value) == (0.5, 1.0)


def test_pictures_of_one_colour_count() -> None:
    levels = np.zeros((6, 1, 4, 4), np.uint8)
    levels[3:] = np.arange(16, dtype=np.uint8).reshape(4, 4)
    corpus = Corpus("image", levels, np.zeros(6, np.int64))
    assert empty_share.measure(evidence(corpus, ensemble=corpus))["ensemble"].value == 0.5


def test_it_applies_where_items_are_generated_by_themselves() -> None:
    assert empty_share.applies(evidence(texts("a"), ensemble=texts("b")))
    assert not empty_share.applies(evidence(texts("a"), ensemble=texts()))


def test_none_in_a_hundred_is_not_said_to_be_none_at_all() -> None:
    measurement = empty_share.measure(evidence(texts(*["a b"] * 100), ensemble=texts(*["c d"] * 100)))["ensemble"]
    assert (measurement.value, measurement.low) == (0, 0)
    assert measurement.high == pytest.approx(0.037, abs=1e-3)
