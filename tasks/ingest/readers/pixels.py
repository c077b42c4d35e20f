"""Pictures that are stored as their bare values, as files."""

from __future__ import annotations

import io


def png(values: bytes, height: int, width: int, planes: int = 1) -> bytes:
    """One byte a pixel and plane: a grey picture of one plane, or red, green and blue one after the other, as PNG.

    >>> png(bytes(12), 2, 2, 3)[:4]
    b'\\x89PNG'
    """
    import numpy as np
    from PIL import Image

    array = np.frombuffer(values, np.uint8).reshape(planes, height, width).transpose(1, 2, 0)
    held = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array[..., 0] if planes == 1 else array)).save(held, "PNG")
    return held.getvalue()
