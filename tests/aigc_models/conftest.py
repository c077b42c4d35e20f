"""Scikit-learn's digits, 8x8, as the image tests share them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.datasets import load_digits

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.modalities.audio import Format as SoundFormat
from aigc_models.modalities.image import Format
from aigc_models.modalities.series import Format as SeriesFormat


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


@pytest.fixture(scope="session")
def tones() -> Digits:
    """Four pitches of 8 kHz sounds of 1,024 samples: decaying harmonics of random strength; 160, 40 and 40 items."""
    random, time = np.random.default_rng(0), np.arange(1024) / 8000
    conditions = np.tile(np.arange(4), 60)
    frequencies = np.array([220.0, 277.2, 349.2, 440.0])[conditions][:, None, None]
    harmonics = np.arange(1, 6)[:, None]
    strengths = random.uniform(0.2, 1, (240, 5, 1)) / harmonics * np.exp(-time * random.uniform(4, 16, (240, 1, 1)) * harmonics)
    sounds = (strengths * np.sin(2 * np.pi * frequencies * harmonics * time)).sum(1)
    values = np.rint(sounds / np.abs(sounds).max(1, keepdims=True) * 24_000).astype(np.int16)[:, None]
    everything = Corpus("audio", values, conditions.astype(np.int64))
    parts = [everything.take(np.arange(start, end)) for start, end in ((0, 160), (160, 200), (200, 240))]
    return Digits(*parts, Shape("audio", ("A3", "C#4", "F4", "A4"), SoundFormat(rate=8000, samples=1024, channels=1)))


@pytest.fixture(scope="session")
def waves() -> Digits:
    """Two channels with a trend, a season of 12 steps and noise, as windows of 36 + 6 steps in the order of time."""
    random = np.random.default_rng(0)
    time = np.arange(700)
    phases, slopes = np.array([[0.0], [2.0]]), np.array([[0.002], [-0.001]])
    angles = 2 * np.pi * time / 12 + phases
    series = slopes * time + np.sin(angles) + 0.7 * np.cos(2 * angles) + 0.15 * random.normal(size=(2, 700))
    windows = np.lib.stride_tricks.sliding_window_view(series, 42, axis=1).swapaxes(0, 1).astype(np.float32)
    everything = Corpus("series", windows, np.zeros(len(windows), dtype=np.int64))
    parts = [everything.take(np.arange(start, end)) for start, end in ((0, 400), (406, 500), (506, 659))]
    format = SeriesFormat(
        context=36, horizon=6, season=12, channels=2, names=("up", "down"), step="1", centre=(0.0, 0.0), scale=(1.0, 1.0)
    )
    return Digits(*parts, Shape("series", (), format))
