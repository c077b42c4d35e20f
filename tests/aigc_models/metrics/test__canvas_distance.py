import numpy as np
import pytest

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.metrics import _canvas_distance
from aigc_models.metrics._canvas_distance import nearest
from aigc_models.modalities.image import Format


def test_against_all_pairs_in_pieces(digits, monkeypatch):
    monkeypatch.setattr(_canvas_distance, "ROWS", 100)
    train, items = digits.train.take(np.arange(250)), digits.test.take(np.arange(20))
    near = nearest(train, {"test": items, "train": train.take(np.arange(3))}, digits.shape)
    distances = {name: each.whole[:, 0] for name, each in near.items()}
    references, asked = (corpus.values.reshape(len(corpus), -1) / 127.5 for corpus in (train, items))
    expected = np.sqrt(((asked[:, None] - references[None]) ** 2).sum(2)).min(1)
    assert distances["test"] == pytest.approx(expected, abs=1e-3)
    assert distances["train"] == pytest.approx(0, abs=5e-3)


def test_black_to_white_is_two_a_pixel():
    black, white = (Corpus("image", np.full((1, 1, 2, 2), level, np.uint8), np.zeros(1, np.int64)) for level in (0, 255))
    shape = Shape("image", (), Format(height=2, width=2, channels=1))
    assert nearest(black, {"white": white}, shape)["white"].whole == pytest.approx(4.0)


def test_one_pixel_is_left_out_with_all_its_colours():
    random = np.random.default_rng(0)
    values = random.integers(0, 256, (30, 3, 4, 4)).astype(np.uint8)
    changed = values[:5].copy()
    changed[:, :, 1, 2] = 255 - changed[:, :, 1, 2]
    train, near = (Corpus("image", each, np.zeros(len(each), np.int64)) for each in (values, changed))
    shape = Shape("image", (), Format(height=4, width=4, channels=3))
    measured = nearest(train, {"near": near, "same": train}, shape)
    assert measured["near"].most[:, 0] == pytest.approx(0, abs=1e-6)
    assert measured["near"].whole[:, 0].min() > 0.1
    assert measured["same"].relative() == pytest.approx(0, abs=1e-6)
    assert (measured["near"].most[:, 1] > 1).all()


def test_one_sample_is_left_out_with_the_frames_it_lies_in(tones):
    values = tones.train.values[:5].copy()
    values[:, 0, 500] = np.where(values[:, 0, 500] < 0, 30_000, -30_000)
    clicks = Corpus("audio", values, tones.train.conditions[:5])
    near = nearest(tones.train, {"clicks": clicks}, tones.shape)["clicks"]
    assert near.most[:, 0] == pytest.approx(0, abs=1e-4)
    assert near.whole[:, 0].min() > 0.5
