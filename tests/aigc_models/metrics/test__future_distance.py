import numpy as np
import pytest

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.metrics import _future_distance
from aigc_models.metrics._future_distance import nearest
from aigc_models.modalities.series import Format

SHAPE = Shape(
    "series",
    (),
    Format(context=6, horizon=10, season=1, channels=2, names=("a", "b"), step="1D", centre=(0.0, 0.0), scale=(1.0, 1.0)),
)


def corpus(values: np.ndarray) -> Corpus:
    return Corpus("series", values.astype(np.float32), np.zeros(len(values), np.int64))


@pytest.fixture
def train() -> Corpus:
    return corpus(np.random.default_rng(0).standard_normal((50, 2, 16)))


def test_the_future_counts_and_neither_the_past_nor_the_level(train, monkeypatch):
    monkeypatch.setattr(_future_distance, "ROWS", 20)
    values = train.values[:4].copy()
    values[..., :6] = 99
    values += np.array([3.0, -7.0])[:, None]
    near = nearest(train, {"moved": corpus(values), "future": corpus(values[..., 6:])}, SHAPE)
    for each in near.values():
        assert each.whole[:, 0] == pytest.approx(0, abs=5e-3)
        assert each.most[:, 0] == pytest.approx(0, abs=1e-5)
        assert each.whole[:, 1].min() > 1


def test_one_step_is_left_out_in_all_channels(train):
    values = train.values[:4].copy()
    values[..., 12] += 1.5
    near = nearest(train, {"near": corpus(values)}, SHAPE)["near"]
    assert near.most[:, 0] == pytest.approx(0, abs=1e-5)
    assert near.whole[:, 0].min() > 1
    assert near.relative().max() < 1e-4
