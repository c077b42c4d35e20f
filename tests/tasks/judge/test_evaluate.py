"""Samples and their order; the metrics have tests of their own."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from aigc_models.bundle import Card
from aigc_models.corpus import Corpus
from aigc_models.generator import Generator
from aigc_models.layers.noise import normal
from aigc_models.modalities import image
from tasks.judge.evaluate import generate_like, show_samples, shuffled


class Painter:
    """A picture of the label's brightness, with the seed's noise."""

    def generate(self, conditions, seeds, **sampling):
        return (conditions[:, None, None, None] - 1 + 0.1 * normal(seeds, (1, 8, 8))).clamp(-1, 1)


@pytest.fixture
def painter():
    card = Card(
        kind="member",
        name="painter",
        family="painter",
        modality="image",
        config={},
        format={"height": 8, "width": 8, "channels": 1},
        labels=("dark", "light"),
        capabilities=("Generates",),
        dataset="made",
        version="1",
    )
    return Generator(card, Painter(), image, image.Format(height=8, width=8, channels=1))


def test_a_sorted_split_is_sampled_from_all_its_labels(painter):
    labels = np.repeat(np.arange(2), 100)
    split = Corpus("image", np.zeros((200, 1, 8, 8), dtype=np.uint8), labels)
    test = shuffled(split, 7)
    assert np.array_equal(np.sort(test.conditions), labels)
    made = generate_like(test, painter, 40, 20_000)
    assert np.array_equal(made.conditions, test.conditions[:40])
    assert 10 < made.conditions.sum() < 30
    assert np.array_equal(made.values.mean(axis=(1, 2, 3)) > 64, made.conditions == 1)


def test_samples_shown_are_those_that_a_user_can_make_again(painter, tmp_path):
    nothing = Corpus("image", np.zeros((0, 1, 8, 8), dtype=np.uint8), np.zeros(0, dtype=np.int64))
    show_samples(painter, 21, 20_000, tmp_path / "samples", nothing)
    shown = json.loads((tmp_path / "samples" / "samples.json").read_text())
    assert [entry["label"] for entry in shown[:3]] == ["dark", "light", "dark"]
    assert len({entry["seed"] for entry in shown}) == 21
    for entry in (shown[0], shown[20]):
        (again,) = painter.generate(1, label=entry["label"], seed=entry["seed"])
        kept = np.asarray(Image.open(tmp_path / "samples" / entry["file"]))
        assert np.array_equal(kept.reshape(again.shape), again)
