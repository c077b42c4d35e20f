"""Pictures. An item's content is uint8 (height, width, channel), one channel for grey or three for red, green, blue."""

from __future__ import annotations

import base64
import hashlib
import io
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps
from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import Unreadable, no_content
from aigc_models.fingerprints.fingerprint import Fingerprint
from aigc_models.modalities.image import measuring, reasons, signature

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_models.canvas import Canvas

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"})
suffix = ".png"

READERS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")  # none that starts another program, as EPS does
MAX_PIXELS = 50_000_000  # a picture that says it is larger is not decoded
MOST_PASSED = 1_000_000_000  # pixels times passes of a progressive JPEG: about ten seconds
STRIP = 512  # rows
# Cameras and scanners store 8, 10 or 12 bits in 16, which as 16 bits are nearly black: white is the least of these that is no
# less than all levels. 14 bits are read as 16, at a quarter of their light: a dark picture of 16 bits looks the same.
WHITES = (255, 1023, 4095, 65535)
LONGEST = 256  # pixels: larger pictures are kept at this size in the clean table
SHORTEST = 32  # pixels of the longer side at which large pictures are learnt where there is no time for more
SIDES = (48, 64, 96, 128, 192, 256)  # pixels of the longer side where there is
OPAQUE = (b"\xff\xd8", b"BM")  # how files begin that cannot be transparent
ALPHA_PNG = (4, 6)  # of a PNG's kinds of colour

positions = signature.positions
alike_prints = signature.alike_prints
measures = measuring.measures
embedding = measuring.embedding


class Format(BaseModel):
    """The one size to which all pictures of a data set are brought."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    height: int = Field(description="pixels", gt=0)
    width: int = Field(description="pixels", gt=0)
    channels: int = Field(description="1 grey, 3 colour", ge=1, le=3)


def read(payload: bytes, name: str) -> np.ndarray:
    """Decode the first frame, upright, on white; raises `Unreadable`. The size is checked before decoding."""
    if not payload:
        raise no_content(name)
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(payload), formats=READERS) as image:
            return _levels(_decoded(image, payload))
    except Unreadable:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on damaged files
        raise Unreadable(reasons.reason(error, payload)) from error


def _decoded(image: Image.Image, payload: bytes) -> Image.Image:
    if image.width * image.height > MAX_PIXELS:
        raise Unreadable(f"{image.width} x {image.height} pixels; the limit is {MAX_PIXELS:,} pixels in all")
    if image.format == "JPEG":
        _check_passes(image, payload)
        if image.mode in ("L", "RGB"):
            image.draft(image.mode, (2 * LONGEST, 2 * LONGEST))  # large photographs decode at a fraction of their size
    image.load()
    if image.info:  # what says that it is turned, if anything does: not asking saves a tenth of the time of a small one
        with suppress(Exception):  # what stands beside a picture may be damaged; then nobody says it
            ImageOps.exif_transpose(image, in_place=True)
    return image


def _check_passes(image: Image.Image, payload: bytes) -> None:
    """A progressive JPEG goes over all of its pixels once for each of its passes, which may be of a few bytes each."""
    passes = payload.count(b"\xff\xda")
    if passes * image.width * image.height > MOST_PASSED:
        raise Unreadable(f"{image.width} x {image.height} pixels in {passes:,} passes; is it a decompression bomb?")


def _levels(image: Image.Image) -> np.ndarray:
    """uint8 (height, width, 1 or 3) from any of Pillow's modes."""
    if image.mode.startswith("I"):
        deep = np.clip(np.asarray(image).astype(np.int64), 0, WHITES[-1])
        white = next(white for white in WHITES if white >= deep.max(initial=0))
        return (deep * 255 // white).astype(np.uint8)[:, :, None]
    if image.mode == "F":
        raise Unreadable("floating-point levels have no fixed white")
    grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        image = _on_white(image)
    mode = "L" if grey else "RGB"
    levels = np.asarray(image if image.mode == mode else image.convert(mode))
    return levels[:, :, None] if grey else levels


def _on_white(image: Image.Image) -> Image.Image:
    """A strip at a time, so that of a large picture no second one is held."""
    canvas = Image.new("RGB", image.size)
    for top in range(0, image.height, STRIP):
        box = (0, top, image.width, min(top + STRIP, image.height))
        clear = image.crop(box).convert("RGBA")
        canvas.paste(Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear), box)
    image.close()
    return canvas


def validate(content: np.ndarray) -> str | None:
    """The reason why this cannot be used as a picture, or None."""
    height, width = content.shape[:2]
    return None if height and width else "has no pixels"


def normalise(content: np.ndarray) -> np.ndarray:
    """One channel where all three are alike, and at most `LONGEST` pixels a side."""
    if content.shape[2] == 3 and all((part == part[:, :, :1]).all() for part in (content[:1], content)):
        content = content[:, :, :1]
    height, width = content.shape[:2]
    scale = LONGEST / max(height, width)
    if scale >= 1:
        return content
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return _array(_image(content).resize(size, Image.Resampling.LANCZOS))


def lost(payload: bytes) -> list[str]:
    """What `read` took from a file, as the data card counts it."""
    if payload.startswith(OPAQUE) or (payload[:4] == b"\x89PNG" and payload[25] not in ALPHA_PNG and b"tRNS" not in payload):
        return []
    with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(payload), formats=READERS) as image:
        if not image.has_transparency_data:
            return []
        opacity = np.asarray(image.convert("RGBA").getchannel("A"))
    return ["transparent_put_on_white"] if (opacity < 255).any() else []


def altered(before: np.ndarray, after: np.ndarray) -> list[str]:
    """What `normalise` took from a picture, as the data card counts it."""
    return [f"shrunk_to_{LONGEST}_pixels"] if before.shape[:2] != after.shape[:2] else []


def _image(content: np.ndarray) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(content[:, :, 0] if content.shape[2] == 1 else content))


def _array(image: Image.Image) -> np.ndarray:
    levels = np.asarray(image)
    return levels[:, :, None] if levels.ndim == 2 else levels


def pack(content: np.ndarray) -> bytes:
    """As PNG, without metadata."""
    buffer = io.BytesIO()
    _image(content).save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def is_packed(payload: bytes) -> bool:
    """Whether this is a PNG of grey or colour levels alone, such as `pack` writes: no metadata, transparency, colour table."""
    if payload[:16] != b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" or payload[24:25] != b"\x08" or payload[25:26] not in (b"\0", b"\2"):
        return False
    at = 33
    while payload[at + 4 : at + 8] == b"IDAT":
        at += 12 + int.from_bytes(payload[at : at + 4], "big")
    return payload[at:] == b"\0\0\0\0IEND\xaeB`\x82"


def unpack(payload: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(payload), formats=("PNG",)) as image:
        return _array(image)


def fingerprint(content: np.ndarray) -> Fingerprint:
    """`exact`: of shape and levels; `near`: thumbnails of lightness and colours, see `signature`."""
    exact = hashlib.sha256(repr(content.shape).encode() + content.tobytes()).hexdigest()
    return Fingerprint(exact, signature.signature(content))


def choose_format(contents: Sequence[np.ndarray]) -> Format:
    """The usual size, up to a multiple of 4, if no side is above `SHORTEST` pixels; else its shape at that size."""
    height, width = (int(np.median([content.shape[axis] for content in contents])) for axis in (0, 1))
    channels = 1 if all(content.shape[2] == 1 for content in contents) else 3
    if max(height, width) > SHORTEST:
        return _shaped(height, width, SHORTEST, channels)
    return Format(height=-(-height // 4) * 4, width=-(-width // 4) * 4, channels=channels)


def larger(format: Format, diversity: Mapping[str, Any]) -> list[Format]:
    """Formats with more of what the items have than the card's, the smallest first; `diversity` is that of the card."""
    height, width = (diversity[name][1] for name in ("height", "width"))
    sides = [side for side in SIDES if max(format.height, format.width) < side <= max(height, width)]
    return [_shaped(height, width, side, format.channels) for side in sides]


def _shaped(height: float, width: float, longest: int, channels: int) -> Format:
    """The shape of a picture with a longer side of `longest` pixels; sides that networks can halve."""
    unit = 4 if longest <= SHORTEST else 8
    sides = (max(8, unit * round(side * longest / max(height, width) / unit)) for side in (height, width))
    return Format(**dict(zip(("height", "width"), sides, strict=True)), channels=channels)


def encode(contents: Sequence[np.ndarray], format: Format) -> np.ndarray:
    """uint8 (item, channel, height, width); other sizes are scaled to fill and cut around the centre."""
    values = np.empty((len(contents), format.channels, format.height, format.width), dtype=np.uint8)
    for row, content in enumerate(contents):
        image = _image(content).convert("L" if format.channels == 1 else "RGB")
        if image.size != (format.width, format.height):
            image = ImageOps.fit(image, (format.width, format.height), Image.Resampling.LANCZOS)
        values[row] = _array(image).transpose(2, 0, 1)
    return values


def tensor(values: np.ndarray) -> Tensor:
    """float32 (item, channel, height, width) in [-1, 1]."""
    import torch

    return torch.from_numpy(np.asarray(values).astype(np.float32) / np.float32(127.5) - 1)


def decode(values: Tensor, format: Format) -> list[np.ndarray]:
    """float in [-1, 1] back to uint8 (height, width, channel); what lies outside is clipped."""
    levels = ((values.detach().cpu().float() + 1) * 127.5).round().clamp(0, 255).byte().numpy()
    return list(levels.transpose(0, 2, 3, 1))


def canvas(format: Format) -> Canvas:
    """A picture is its own canvas."""
    from aigc_models.canvas import Picture

    return Picture((format.channels, format.height, format.width))


def write(content: np.ndarray, path: Path) -> Path:
    """Write `content` as PNG; gives the path."""
    target = path.with_name(path.name.removesuffix(suffix) + suffix)
    target.write_bytes(pack(content))
    return target


def emptiness(content: np.ndarray) -> str | None:
    """In what way a picture shows nothing: `black`, `white`, `one colour`, or None."""
    levels = content.reshape(-1, content.shape[2])
    if (levels != levels[:1]).any():
        return None
    shades = set(levels[:1].ravel().tolist())
    return "black" if shades <= {0} else "white" if shades == {255} else "one colour"


def preview(content: np.ndarray) -> str:
    """The item as a piece of HTML that needs nothing else; small pictures are shown larger, not blurred."""
    height, width = content.shape[:2]
    shown = width * max(1, 64 // max(height, width))
    data = base64.b64encode(pack(content)).decode()
    return f'<img alt="" width="{shown}" style="image-rendering:pixelated" src="data:image/png;base64,{data}">'


def spread(contents: Sequence[np.ndarray]) -> dict[str, Any]:
    """Sizes in pixels (lowest, median, highest) and how many pictures have each number of channels."""
    sides = {name: np.array([content.shape[axis] for content in contents]) for axis, name in enumerate(("height", "width"))}
    spans = {name: [int(side.min()), float(np.median(side)), int(side.max())] for name, side in sides.items()}
    channels = Counter(str(content.shape[2]) for content in contents)
    return {**spans, "channels": dict(sorted(channels.items()))}
