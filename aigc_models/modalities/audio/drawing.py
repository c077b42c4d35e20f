"""A spectrogram as a small picture."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from aigc_models.modalities.audio.sound_file import Sound

WIDTH, HEIGHT = 200, 96  # pixels
WINDOW = 0.032  # seconds
RANGE = 70.0  # decibels from the darkest colour to the brightest
# dark violet over red and orange to pale yellow: readable in grey too, on a light page and on a dark one
COLOURS = np.array([[16, 12, 40], [66, 20, 104], [140, 41, 99], [211, 72, 67], [246, 135, 40], [252, 236, 160]], dtype=float)


def picture(sound: Sound) -> bytes:
    """PNG of `WIDTH` x `HEIGHT` pixels: time from left to right, frequency from 0 at the bottom to half the rate."""
    levels = levels_of(sound.values.mean(axis=0), max(16, round(WINDOW * sound.rate)))
    grey = Image.fromarray(levels[::-1].astype(np.float32)).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    bright = np.clip(np.asarray(grey), 0, 1) * (len(COLOURS) - 1)
    colours = np.stack([np.interp(bright, np.arange(len(COLOURS)), shade) for shade in COLOURS.T], axis=-1)
    buffer = io.BytesIO()
    Image.fromarray(colours.round().astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def levels_of(mono: np.ndarray, window: int) -> np.ndarray:
    """float (frequency, time) from 0, `RANGE` under the loudest level, to 1; about one column a pixel."""
    padded = np.pad(mono.astype(np.float64), window // 2 + 1)
    hop = max(1, len(mono) // WIDTH)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(window))).T ** 2
    levels = 10 * np.log10(power + 1e-12)
    return np.clip(1 + (levels - levels.max()) / RANGE, 0, 1)
