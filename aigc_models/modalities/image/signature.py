"""A signature that tells a picture saved again, scaled or slightly changed from another one: thumbnails.

Two pictures are near-duplicates where their lightness agrees at 16 x 16 and, more closely, at 8 x 8, and their colours at
4 x 4. A difference is measured against the pictures' own contrast, so that small plain pictures that are alike by nature
(digits of one class, skies) are not taken for one another; but never against less than what saving changes in a picture
that is nearly even (`FLOOR`). Signs of frequencies (perceptual hashes: Zauner 2010) are no part of it: of a smooth picture
most frequencies are nothing but the noise of its format, and their signs are drawn anew with each copy. A picture in greys
agrees with any colours, unless it is so even that its lightness alone says little.

The limits are from `benchmarks/copies.py`, where copies end and other pictures begin.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

SIDE, COARSE, COLOUR_SIDE = 16, 8, 4  # pixels of the lightness, of its mean values, and of each colour difference
LIGHT = SIDE**2  # bytes; the rest are the colour differences
AXES = 16  # of the positions, but the first
NEAR = 0.13  # difference at 8 x 8 over the contrast there: copies of photographs are within it, other ones from 0.24 on
NEAR_FINE = 2.0  # times as much may it be at 16 x 16, where formats and scaling change more
FLOOR = 1.0  # level of 255: what formats change at 8 x 8 in pictures without contrast
NEAR_LEVELS = 6.0  # between mean lightnesses and between colours, of 255, and no more than twice the above


def signature(content: np.ndarray) -> bytes:
    """Lightness (16 x 16) and two colour differences (4 x 4 each, 128 for none) of uint8 (height, width, channel).

    Each value is from all pixels about it: what `BOX` takes of a fractional number of pixels depends on the size.
    """
    grey = content.shape[2] == 1
    image = Image.fromarray(np.ascontiguousarray(content[:, :, 0] if grey else content))
    small = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    if grey:
        return small.tobytes() + bytes([128]) * 2 * COLOUR_SIDE**2
    lightness, *colours = small.convert("YCbCr").split()
    return b"".join([lightness.tobytes(), *(colour.reduce(SIDE // COLOUR_SIDE).tobytes() for colour in colours)])


def positions(near: np.ndarray) -> np.ndarray:
    """Float (item, axis) of uint8 (item, byte): near-duplicates lie at most 1 apart on the first, and on the others.

    The mean lightness; and the lowest frequencies of the lightness over its limit, without the mean. They are some of an
    orthonormal transform's, so nothing lies further apart there than before; and dividing each by its own limit moves the
    two nearer to one another than dividing both by the smaller, against which their difference is measured (the limits
    have a floor: it is a projection onto a ball, which is convex, and takes nothing further apart).
    """
    mean, coarse, _ = _lightness(near)
    scaled = coarse / (_limit(coarse) * COARSE)[:, None]
    return np.concatenate([mean[:, None] / NEAR_LEVELS, scaled.astype(np.float64) @ _waves()], axis=1)


@lru_cache(maxsize=1)
def _waves() -> np.ndarray:
    """(pixel, axis): the lowest two-dimensional cosines but the constant one, orthonormal."""
    from scipy.fft import idct

    lines = idct(np.eye(COARSE), axis=0, norm="ortho")
    places = sorted((row**2 + column**2, row, column) for row in range(COARSE) for column in range(COARSE))[1 : AXES + 1]
    return np.stack([np.outer(lines[:, row], lines[:, column]).ravel() for _, row, column in places], axis=1)


def alike_prints(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which pairs are near-duplicates, bool (pair,), of uint8 (pair, byte) each."""
    (mean, coarse, fine), (other_mean, other_coarse, other_fine) = _lightness(one), _lightness(other)
    limit = np.minimum(_limit(coarse), _limit(other_coarse))
    levels = np.minimum(NEAR_LEVELS, 2 * limit)
    alike = (_root_mean(coarse - other_coarse) <= limit) & (_root_mean(fine - other_fine) <= NEAR_FINE * limit)
    colours, other_colours = one[:, LIGHT:].astype(np.float32), other[:, LIGHT:].astype(np.float32)
    grey = np.minimum(*(np.abs(each - 128).max(axis=1, initial=0) for each in (colours, other_colours))) <= 1
    coloured = (_root_mean(colours - other_colours) <= levels) | (grey & (limit > FLOOR))
    return np.asarray(alike & (np.abs(mean - other_mean) <= levels) & coloured)


def _lightness(near: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Float32: the mean (item,), the rest at 8 x 8 (item, 64) and at 16 x 16 (item, 256)."""
    fine = near[:, :LIGHT].astype(np.float32)
    mean = fine.mean(axis=1)
    fine = fine - mean[:, None]
    step = SIDE // COARSE
    return mean, fine.reshape(-1, COARSE, step, COARSE, step).mean(axis=(2, 4)).reshape(-1, COARSE**2), fine


def _limit(coarse: np.ndarray) -> np.ndarray:
    """Levels by which one may differ at 8 x 8, float32 (item,)."""
    return np.maximum(NEAR * coarse.std(axis=1), FLOOR)


def _root_mean(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt((values**2).mean(axis=1)))
