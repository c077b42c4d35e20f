from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from sklearn.datasets import load_digits, load_sample_images

from aigc_models.modalities import image
from aigc_models.modalities.image import signature

COPIES: dict[str, tuple[str, str, float, dict[str, Any]]] = {  # format, mode, scale, options
    "png": ("PNG", "RGB", 1, {}),
    "jpeg 95": ("JPEG", "RGB", 1, {"quality": 95}),
    "jpeg 30": ("JPEG", "RGB", 1, {"quality": 30}),
    "progressive": ("JPEG", "RGB", 1, {"quality": 50, "progressive": True}),
    "cmyk jpeg": ("JPEG", "CMYK", 1, {}),
    "gif": ("GIF", "RGB", 1, {}),
    "palette": ("PNG", "P", 1, {}),
    "webp": ("WEBP", "RGB", 1, {"quality": 50}),
    "bmp": ("BMP", "RGB", 1, {}),
    "tiff jpeg": ("TIFF", "RGB", 1, {"compression": "jpeg"}),
    "cmyk tiff": ("TIFF", "CMYK", 1, {}),
    "half": ("WEBP", "RGB", 0.5, {}),
    "double": ("JPEG", "RGB", 2, {}),
    "grey": ("PNG", "L", 1, {}),
}


def pictures() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    digits = [np.uint8(pixels * 255 / 16).reshape(8, 8, 1) for pixels in load_digits().data[:100]]
    plain = [np.full((9, 7, 3), 40, np.uint8), np.tile(np.arange(64, dtype=np.uint8)[:, None, None], (1, 64, 1))]
    return [*digits, *plain, *(random.integers(0, 256, (size, 40, 3), dtype=np.uint8) for size in (8, 32, 100))]


def smooth(seed: int, contrast: float) -> Image.Image:
    """Blurred colours, as of a wall or a sky."""
    random = np.random.default_rng(seed)
    fields = Image.fromarray(random.integers(0, 255, (8, 8, 3), dtype=np.uint8)).resize((160, 120))
    levels = np.asarray(fields.filter(ImageFilter.GaussianBlur(18))).astype(np.float32)
    return Image.fromarray((random.uniform(90, 160, 3) + contrast * (levels - levels.mean(axis=(0, 1)))).astype(np.uint8))


def prints(contents: list[np.ndarray]) -> np.ndarray:
    return np.stack([np.frombuffer(image.fingerprint(content).near, dtype=np.uint8) for content in contents])


def copied(picture: Image.Image, way: str) -> np.ndarray:
    """As it is read from a file."""
    format, mode, scale, options = COPIES[way]
    buffer = io.BytesIO()
    size = (round(picture.width * scale), round(picture.height * scale))
    picture.convert(mode).resize(size).save(buffer, format, **options)
    return image.read(buffer.getvalue(), way)


@pytest.fixture(scope="module")
def originals() -> list[Image.Image]:
    photographs = [Image.fromarray(one[:400:2, :400:2]) for one in load_sample_images().images]
    return [smooth(seed, contrast) for seed in range(6) for contrast in (1.0, 0.2)] + photographs


@pytest.mark.parametrize("way", COPIES)
def test_copies_are_near_duplicates_and_other_pictures_are_not(originals: list[Image.Image], way: str) -> None:
    chosen = originals[::2] if way == "grey" else originals  # without the faint ones, which in greys could be any other
    one = prints([np.asarray(picture) for picture in chosen])
    other = prints([copied(picture, way) for picture in chosen])
    count = len(one)
    alike = signature.alike_prints(one.repeat(count, axis=0), np.tile(other, (count, 1))).reshape(count, count)
    assert [(int(row), int(column)) for row, column in np.argwhere(alike)] == [(at, at) for at in range(count)]


def changed(one: np.ndarray, random: np.random.Generator, strength: float) -> np.ndarray:
    """Lightness moved at random, each by up to `strength` of what it may differ by at 16 x 16."""
    light = one[:, : signature.LIGHT].astype(float)
    noise = random.normal(size=light.shape) * random.choice([0.0, 1.0, 3.0], (len(one), 1)) + random.normal()
    noise *= strength * 0.13 * light.std(axis=1, keepdims=True) / np.sqrt((noise**2).mean(axis=1, keepdims=True))
    moved = (light + noise).round().clip(0, 255).astype(np.uint8)
    return np.concatenate([moved, one[:, signature.LIGHT :]], axis=1)


@pytest.mark.parametrize("strength", [0.5, 0.9, 1.1, 2.0])
def test_near_duplicates_lie_at_most_one_apart(strength: float, originals: list[Image.Image]) -> None:
    one = prints([*pictures(), *(np.asarray(picture) for picture in originals)])
    others = changed(one, np.random.default_rng(1), strength)
    alike = signature.alike_prints(one, others)
    apart = np.abs(signature.positions(one) - signature.positions(others))
    assert alike.any()
    assert (apart[alike, 0] <= 1).all()
    assert (np.linalg.norm(apart[alike, 1:], axis=1) <= 1.001).all()


def test_lightness_at_both_sizes_its_mean_and_colours_must_all_agree() -> None:
    print_ = prints([np.asarray(smooth(0, 1.0))])[0]
    light, wave = slice(0, signature.LIGHT), np.array([1, -1] * 8)
    others = np.tile(print_, (5, 1))
    others[1, light] += 7  # the mean
    others[2, light] = print_[light].reshape(16, 16)[::-1].ravel()
    others[3, light] = (print_[light].reshape(16, 16) + 9 * wave[:, None] * wave).astype(np.uint8).ravel()  # no trace at 8 x 8
    others[4, signature.LIGHT :] += 7
    assert signature.alike_prints(np.tile(print_, (5, 1)), others).tolist() == [True, False, False, False, False]


def test_plain_pictures_of_two_colours_are_not_near_duplicates() -> None:
    colours = ((90, 90, 90), (91, 90, 90), (95, 95, 95), (95, 87, 87))
    plain = prints([np.full((20, 20, 3), colour, np.uint8) for colour in colours])
    assert signature.alike_prints(plain[[0] * 4], plain).tolist() == [True, True, False, False]
