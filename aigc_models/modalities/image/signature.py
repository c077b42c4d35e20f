"""A signature that tells a picture saved again, scaled or slightly changed from another one.

Two pictures are near-duplicates where their perceptual hashes (the signs of the lowest frequencies: Zauner 2010, as
ImageHash computes them), their mean colours and their thumbnails agree. The thumbnails' difference is measured against
their own contrast, so that small plain pictures that are alike by nature (digits of one class, skies) are not taken for
one another. It is also what pairs are searched by: with eight of 64 bits free to differ, pieces of the hash (Norouzi,
Punjani and Fleet 2012) would have seven bits, 128 values for all pictures.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

HASH = 8  # bytes, and the lowest frequencies on each axis
SIDE = 32  # pixels: what is hashed
COLOURS = 3  # bytes
THUMBNAIL = 16  # pixels
AXES = 16  # of the positions, but the first
NEAR_BITS = 8  # of 64 that may differ between perceptual hashes
NEAR_CONTRAST = 0.1  # difference of thumbnails over their contrast; distinct digits are 0.11 apart, photographs 0.46
NEAR_LEVELS = 6.0  # difference of mean colours, of 255


def signature(content: np.ndarray) -> bytes:
    """Perceptual hash (8 bytes), mean colour (3) and grey thumbnail (16 x 16) of uint8 (height, width, channel)."""
    image = Image.fromarray(np.ascontiguousarray(content[:, :, 0] if content.shape[2] == 1 else content))
    grey = image if image.mode == "L" else image.convert("L")
    colour = np.broadcast_to(content.mean(axis=(0, 1)).round(), COLOURS).astype(np.uint8).tobytes()
    return hashed(grey) + colour + grey.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX).tobytes()


def hashed(grey: Image.Image) -> bytes:
    """The bits of `imagehash.phash`, of the frequencies that it looks at alone."""
    from scipy.fftpack import dct

    pixels = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    low = dct(dct(pixels, axis=0)[:HASH], axis=1)[:, :HASH]
    middle = np.sort(low, axis=None)[low.size // 2 - 1 : low.size // 2 + 1]
    return np.packbits(low > (middle[0] + middle[1]) / 2).tobytes()


def positions(near: np.ndarray) -> np.ndarray:
    """Float (item, axis) of uint8 (item, byte): near-duplicates lie at most 1 apart on the first, and on the others.

    The mean colour; and the lowest frequencies of the thumbnails over their contrast, without the mean. They are some of
    an orthonormal transform's, so nothing lies further apart there than before; and dividing each by its own contrast
    moves the two nearer to one another than dividing both by the smaller, against which their difference is measured.
    """
    thumbnails, contrast = _thumbnails(near)
    centred = (thumbnails - thumbnails.mean(axis=1, keepdims=True)) / (contrast * NEAR_CONTRAST * THUMBNAIL)[:, None]
    colour = near[:, HASH : HASH + COLOURS].mean(axis=1, keepdims=True) / NEAR_LEVELS
    return np.concatenate([colour, centred.astype(np.float64) @ _waves()], axis=1)


@lru_cache(maxsize=1)
def _waves() -> np.ndarray:
    """(pixel, axis): the lowest two-dimensional cosines but the constant one, orthonormal."""
    from scipy.fft import idct

    lines = idct(np.eye(THUMBNAIL), axis=0, norm="ortho")
    places = sorted((row**2 + column**2, row, column) for row in range(8) for column in range(8))[1 : AXES + 1]
    return np.stack([np.outer(lines[:, row], lines[:, column]).ravel() for _, row, column in places], axis=1)


def alike_prints(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which pairs are near-duplicates, bool (pair,), of uint8 (pair, byte) each."""
    bits = np.bitwise_count(one[:, :HASH] ^ other[:, :HASH]).sum(axis=1)
    colours = one[:, HASH : HASH + COLOURS].astype(np.float32) - other[:, HASH : HASH + COLOURS]
    (some, contrast), (others, other_contrast) = _thumbnails(one), _thumbnails(other)
    apart = np.sqrt(((some - others) ** 2).mean(axis=1))
    near = apart <= NEAR_CONTRAST * np.minimum(contrast, other_contrast)
    return np.asarray(near & (bits <= NEAR_BITS) & (np.abs(colours).max(axis=1, initial=0) <= NEAR_LEVELS))


def _thumbnails(near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Float32 (item, pixel), and the contrast of each."""
    thumbnails = near[:, HASH + COLOURS :].astype(np.float32)
    return thumbnails, thumbnails.std(axis=1) + 1e-3
