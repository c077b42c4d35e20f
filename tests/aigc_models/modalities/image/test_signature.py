from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from aigc_models.modalities import image
from aigc_models.modalities.image import signature


def pictures() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    digits = [np.uint8(pixels * 255 / 16).reshape(8, 8, 1) for pixels in load_digits().data[:100]]
    plain = [np.full((9, 7, 3), 40, np.uint8), np.tile(np.arange(64, dtype=np.uint8)[:, None, None], (1, 64, 1))]
    return [*digits, *plain, *(random.integers(0, 256, (size, 40, 3), dtype=np.uint8) for size in (8, 32, 100))]


def test_hashes_are_those_of_imagehash() -> None:
    imagehash = pytest.importorskip("imagehash")
    for content in pictures():
        grey = Image.fromarray(content.squeeze()).convert("L")
        assert signature.hashed(grey) == np.packbits(imagehash.phash(grey).hash).tobytes()


def changed(prints: np.ndarray, random: np.random.Generator, strength: float) -> np.ndarray:
    """Colours and thumbnails moved at random, each by up to `strength` of what they may differ by."""
    colours, thumbnails = prints[:, 8:11].astype(float), prints[:, 11:].astype(float)
    noise = random.normal(size=thumbnails.shape) * random.choice([0.0, 1.0, 3.0], (len(prints), 1)) + random.normal()
    noise *= strength * 0.1 * thumbnails.std(axis=1, keepdims=True) / np.sqrt((noise**2).mean(axis=1, keepdims=True))
    moved = np.concatenate([colours + random.uniform(-6, 6, colours.shape) * strength, thumbnails + noise], axis=1)
    return np.concatenate([prints[:, :8], moved.round().clip(0, 255).astype(np.uint8)], axis=1)


@pytest.mark.parametrize("strength", [0.5, 0.9, 1.1])
def test_near_duplicates_lie_at_most_one_apart(strength: float) -> None:
    prints = np.stack([np.frombuffer(image.fingerprint(content).near, dtype=np.uint8) for content in pictures()])
    others = changed(prints, np.random.default_rng(1), strength)
    alike = signature.alike_prints(prints, others)
    apart = np.abs(signature.positions(prints) - signature.positions(others))
    assert (apart[alike, 0] <= 1).all()
    assert (np.linalg.norm(apart[alike, 1:], axis=1) <= 1.001).all()
    assert alike.mean() > 0.9 if strength < 0.9 else alike.any() or strength > 1


def test_hash_colours_and_thumbnails_must_all_agree() -> None:
    print_ = np.frombuffer(image.fingerprint(pictures()[-1]).near, dtype=np.uint8)
    others = np.tile(print_, (4, 1))
    others[1, :2] ^= 0b11111
    others[2, 8] = (int(print_[8]) + 7) % 256
    others[3, 11:] = print_[11:][::-1]
    assert signature.alike_prints(np.tile(print_, (4, 1)), others).tolist() == [True, False, False, False]
