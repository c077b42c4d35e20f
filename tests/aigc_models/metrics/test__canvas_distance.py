import numpy as np
import pytest

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.metrics import _canvas_distance
from aigc_models.metrics._canvas_distance import nearest_distances
from aigc_models.modalities.image import Format


def test_against_all_pairs_in_pieces(digits, monkeypatch):
    monkeypatch.setattr(_canvas_distance, "ROWS", 100)
    train, items = digits.train.take(np.arange(250)), digits.test.take(np.arange(20))
    distances = nearest_distances(train, {"test": items, "train": train.take(np.arange(3))}, digits.shape)
    references, asked = (corpus.values.reshape(len(corpus), -1) / 127.5 for corpus in (train, items))
    expected = np.sqrt(((asked[:, None] - references[None]) ** 2).sum(2)).min(1)
    assert distances["test"] == pytest.approx(expected, abs=1e-3)
    assert distances["train"] == pytest.approx(0, abs=5e-3)


def test_black_to_white_is_two_a_pixel():
    black, white = (Corpus("image", np.full((1, 1, 2, 2), level, np.uint8), np.zeros(1, np.int64)) for level in (0, 255))
    shape = Shape("image", (), Format(height=2, width=2, channels=1))
    assert nearest_distances(black, {"white": white}, shape)["white"] == pytest.approx(4.0)
