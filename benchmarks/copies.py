"""Do copies of pictures meet, and do others not: recall by format, and false pairs in a million.

    AIGC_MIRROR=DIR python benchmarks/copies.py --out benchmarks/results/copies.json

Photographs of 32 x 32 (CIFAR-10), drawn characters (Omniglot), digits of 8 x 8 (scikit-learn), and smooth pictures of many
seeds: blurred colours as a wall or a sky has them, the same at a fifth of their contrast, and straight gradients. Each is
saved in every format that is read, read back as the product does, and held against its original; and all originals are held
against one another by the product's own search.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from aigc_models.modalities import image
from tasks.deduplicate.near_prints import Prints, near_pairs

COPIED = 150  # pictures of a set that are saved in every format
SMOOTH = 2000  # pictures of each smooth set
MOST = 6000  # pictures of a real set


def _saved(format: str, mode: str = "", scale: float = 1.0, **options: Any) -> Callable[[Image.Image], bytes]:
    def save(picture: Image.Image) -> bytes:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        changed = picture.convert(mode) if mode else picture
        changed = changed.resize(size) if scale != 1 else changed
        buffer = io.BytesIO()
        changed.save(buffer, format, **options)
        return buffer.getvalue()

    return save


WAYS = {
    "png": _saved("PNG"),
    **{f"jpeg {quality}": _saved("JPEG", quality=quality) for quality in (95, 85, 70, 50, 30)},
    "jpeg progressive 75": _saved("JPEG", quality=75, progressive=True),
    "jpeg 4:4:4 75": _saved("JPEG", quality=75, subsampling=0),
    "jpeg cmyk 75": _saved("JPEG", "CMYK"),
    "gif": _saved("GIF"),
    "png palette": _saved("PNG", "P"),
    "webp 80": _saved("WEBP", quality=80),
    "webp 50": _saved("WEBP", quality=50),
    "bmp": _saved("BMP"),
    "tiff": _saved("TIFF", compression="tiff_lzw"),
    "tiff jpeg": _saved("TIFF", compression="jpeg"),
    "tiff cmyk": _saved("TIFF", "CMYK"),
    "half": _saved("PNG", scale=0.5),
    "double": _saved("PNG", scale=2),
    "webp half": _saved("WEBP", scale=0.5),
    "jpeg double": _saved("JPEG", scale=2),
    "grey": _saved("PNG", "L"),
}


def blurred(seed: int, contrast: float = 1.0) -> Image.Image:
    """160 x 120: random colours of 8 x 8 fields, blurred beyond the width of a field."""
    random = np.random.default_rng(seed)
    fields = Image.fromarray(random.integers(0, 255, (8, 8, 3), dtype=np.uint8)).resize((160, 120))
    levels = np.asarray(fields.filter(ImageFilter.GaussianBlur(18))).astype(np.float32)
    middle = levels.mean(axis=(0, 1)) if contrast == 1 else random.uniform(60, 200, 3)
    return Image.fromarray((middle + contrast * (levels - levels.mean(axis=(0, 1)))).clip(0, 255).astype(np.uint8))


def gradient(seed: int) -> Image.Image:
    """96 x 96, from one colour to another at some angle."""
    random = np.random.default_rng(seed)
    angle, (one, other) = random.uniform(0, 2 * np.pi), random.uniform(0, 255, (2, 3))
    down, along = np.mgrid[-1:1:96j, -1:1:96j]
    way = ((np.cos(angle) * down + np.sin(angle) * along) / 2**1.5 + 0.5)[:, :, None]
    return Image.fromarray((one + (other - one) * way).astype(np.uint8))


def digits() -> list[Image.Image]:
    from sklearn.datasets import load_digits

    return [Image.fromarray(np.uint8(pixels * 255 / 16).reshape(8, 8)) for pixels in load_digits().data]


def real(folder: Path, pattern: str) -> list[Image.Image]:
    files = sorted(folder.rglob(pattern))
    return [Image.open(file).convert("RGB" if pattern == "*.jpg" else "L") for file in files[:: -(-len(files) // MOST)]]


def sets(mirror: Path) -> dict[str, Callable[[], list[Image.Image]]]:
    return {
        "cifar10": lambda: real(mirror / "cifar10_subset", "*.jpg"),
        "omniglot": lambda: real(mirror / "omniglot_small", "*.png"),
        "digits": digits,
        "blurred": lambda: [blurred(seed) for seed in range(SMOOTH)],
        "pale": lambda: [blurred(seed, 0.2) for seed in range(SMOOTH)],
        "gradients": lambda: [gradient(seed) for seed in range(SMOOTH)],
    }


def prints(payloads: list[bytes]) -> np.ndarray:
    """uint8 (item, byte), as the product makes them of files."""
    contents = (image.normalise(image.read(payload, "")) for payload in payloads)
    return np.stack([np.frombuffer(image.fingerprint(content).near, dtype=np.uint8) for content in contents])


def measured(name: str, pictures: list[Image.Image], keep: Path | None) -> dict[str, Any]:
    originals = prints([WAYS["png"](picture) for picture in pictures])
    step = -(-len(pictures) // COPIED)
    recall = {}
    for way, save in WAYS.items():
        copies = prints([save(picture) for picture in pictures[::step]])
        recall[way] = round(float(image.alike_prints(originals[::step], copies).mean()), 4)
    with tempfile.TemporaryDirectory() as folder:
        stored = Prints(Path(folder) / "prints")
        stored.add([row.tobytes() for row in originals])
        pairs = near_pairs(stored, image)
    equal = sum(pictures[one].tobytes() == pictures[other].tobytes() for one, other in pairs)
    if keep:
        np.save(keep / f"{name}.npy", pairs)
    count = len(pictures) * (len(pictures) - 1) // 2
    rate = round((len(pairs) - equal) / count * 1e6, 3)
    return {"set": name, "pictures": len(pictures), "pairs": len(pairs) - equal, "pairs_in_a_million": rate, "recall": recall}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--sets", nargs="+")
    arguments.add_argument("--keep", type=Path, help="folder for the pairs, to look at them")
    arguments.add_argument("--out", type=Path)
    asked, results = arguments.parse_args(), []
    for name, made in sets(Path(os.environ["AIGC_MIRROR"])).items():
        if not asked.sets or name in asked.sets:
            results.append(measured(name, made(), asked.keep))
            print(json.dumps(results[-1]), flush=True)
    if asked.out:
        machine = {"platform": platform.platform(), "python": platform.python_version()}
        asked.out.write_text(json.dumps({"machine": machine, "sets": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
