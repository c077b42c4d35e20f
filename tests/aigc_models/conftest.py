"""Scikit-learn's digits, 8x8, as the image tests share them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.datasets import load_digits

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.modalities.image import Format


@dataclass(frozen=True)
class Digits:
    train: Corpus
    validation: Corpus
    test: Corpus
    shape: Shape


@pytest.fixture(scope="session")
def digits() -> Digits:
    """1,197 items to train, 300 to validate, 300 to test, ten labels."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    values = np.round(data.images[order] * 255 / 16).astype(np.uint8)[:, None]
    everything = Corpus("image", values, data.target[order].astype(np.int64))
    parts = [everything.take(np.arange(start, end)) for start, end in ((0, 1197), (1197, 1497), (1497, 1797))]
    labels = tuple(str(digit) for digit in range(10))
    return Digits(*parts, Shape("image", labels, Format(height=8, width=8, channels=1)))
