"""1,797 handwritten digits of 8 x 8 pixels (scikit-learn's copy of the UCI set), labelled."""

from __future__ import annotations

import io
from collections.abc import Iterator

from tasks.ingest.source import RawItem

MODALITY = "image"
LIBRARIES = ("scikit-learn", "pillow")


def licence() -> str:
    return "CC BY 4.0 (UCI, Alpaydin and Kaynak 1998)"


def items() -> Iterator[RawItem]:
    """Levels 0..16 become 0..255."""
    from PIL import Image
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    for number, (pixels, label) in enumerate(zip(images.reshape(-1, 8, 8), labels, strict=True)):
        buffer = io.BytesIO()
        Image.fromarray((pixels * 255 / 16).round().astype("uint8")).save(buffer, format="PNG")
        yield RawItem(buffer.getvalue(), f"{number:04}.png", f"digits/{number:04}.png", str(label))
