"""Pictures as numbers: what can be measured of each, and a small canvas of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

SIDE = 16  # pixels of the canvas' lightness
COLOUR_SIDE = 4  # pixels of each of its two colour differences
FEATURES = SIDE**2 + 2 * COLOUR_SIDE**2
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in lightness (ITU-R BT.601)
_NAMES = ("brightness", "contrast", "colourfulness", "sharpness", "dark_share", "bright_share")


def measures(contents: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Of each picture, float64 (item,): width and height in pixels, channels; of 255 levels its mean brightness, its
    contrast (standard deviation), colourfulness (Hasler and Suesstrunk 2003) and sharpness (mean step between
    neighbours); shares of pixels that are nearly black or nearly white."""
    shapes = np.array([content.shape for content in contents], dtype=np.int64).reshape(-1, 3)
    table = np.zeros((len(contents), len(_NAMES)))
    for shape in np.unique(shapes, axis=0):  # those of one size at once
        rows = np.flatnonzero((shapes == shape).all(axis=1))
        step = max(1, 1_000_000 // max(1, int(shape.prod())))
        for part in np.split(rows, range(step, len(rows), step)):
            table[part] = _measured(np.stack([contents[row] for row in part]))
    sizes = {"width": shapes[:, 1], "height": shapes[:, 0], "channels": shapes[:, 2]}
    whole = {name: size.astype(np.float64) for name, size in sizes.items()}
    return whole | dict(zip(_NAMES, table.T, strict=True))


def _measured(levels: np.ndarray) -> np.ndarray:
    """float (item, name) of uint8 (item, height, width, channel)."""
    grey = _grey(levels)
    flat = grey.reshape(len(grey), -1)
    steps = sum(np.abs(np.diff(grey, axis=axis)).sum(axis=(1, 2)) for axis in (1, 2)) / flat.shape[1] / 2
    shares = [(flat < 16).mean(axis=1), (flat >= 240).mean(axis=1)]
    return np.stack([flat.mean(axis=1), flat.std(axis=1), _colourfulness(levels), steps, *shares], axis=1)


def _grey(levels: np.ndarray) -> np.ndarray:
    """float32 (item, height, width)."""
    if levels.shape[-1] == 1:
        return levels[..., 0].astype(np.float32)
    return np.asarray(sum(levels[..., at] * np.float32(share) for at, share in enumerate(LUMA)))


def _colourfulness(levels: np.ndarray) -> np.ndarray:
    if levels.shape[-1] == 1:
        return np.zeros(len(levels))
    red, green, blue = (levels[..., at].reshape(len(levels), -1).astype(np.float32) for at in range(3))
    differences = (red - green, (red + green) / 2 - blue)
    spread = np.hypot(*(each.std(axis=1) for each in differences))
    return np.asarray(spread + 0.3 * np.hypot(*(each.mean(axis=1) for each in differences)))


def embedding(contents: Sequence[np.ndarray]) -> np.ndarray:
    """Float32 (item, `FEATURES`) in [-1, 1]: lightness, `SIDE` pixels a side, and two colour differences, more coarsely.

    A picture is stretched to a square; the colour differences of a grey one are zero.
    """
    values = np.zeros((len(contents), FEATURES), dtype=np.float32)
    for row, content in enumerate(contents):
        values[row] = _canvas(content)
    return (values - np.float32(128)) / np.float32(128)


def _canvas(content: np.ndarray) -> np.ndarray:
    """float32 (feature,) from 0 to 255; a colour difference of none is 128."""
    if content.shape[2] == 1:
        return np.concatenate([_small(Image.fromarray(content[:, :, 0]), SIDE), np.full(2 * COLOUR_SIDE**2, 128)])
    lightness, *colours = Image.fromarray(content).convert("YCbCr").split()
    return np.concatenate([_small(lightness, SIDE), *(_small(colour, COLOUR_SIDE) for colour in colours)])


def _small(image: Image.Image, side: int) -> np.ndarray:
    return np.asarray(image.resize((side, side), Image.Resampling.BOX), dtype=np.float32).reshape(-1)
