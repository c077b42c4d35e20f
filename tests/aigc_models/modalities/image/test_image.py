"""Pictures: every mode to one form, bombs refused, near-duplicates, and the way to numbers and back."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sklearn.datasets import load_digits

from aigc_models.errors import Unreadable
from aigc_models.modalities import image

NOISE = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)


def payload(picture: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=format, **options)
    return buffer.getvalue()


def photograph(seed: int, side: int = 32) -> np.ndarray:
    """Smooth random colours, as a photograph is smooth."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC))


def header_alone(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to no data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("bits", "white"), [(8, 255), (10, 1023), (12, 4095), (16, 65535)], ids=["8 bits", "10 bits", "12 bits", "16 bits"]
)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_levels_of_fewer_bits_in_sixteen_are_as_light_as_they_were(bits, white, kind):
    levels = np.linspace(0, 1, 64 * 64).reshape(64, 64)
    read = image.read(payload(Image.fromarray((levels * white).astype(np.uint16)), kind), "a")
    assert read.dtype == np.uint8
    assert np.abs(read[:, :, 0] - 255 * levels).max() < 1.3


def test_a_dark_picture_of_sixteen_bits_stays_dark():
    dark = np.full((8, 8), 6000, dtype=np.uint16)
    assert image.read(payload(Image.fromarray(dark), "PNG"), "a").max() == 6000 * 255 // 65535
    assert image.read(payload(Image.fromarray(dark * 0), "PNG"), "a").max() == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_grey_or_colour_levels(mode: str) -> None:
    picture = Image.fromarray(photograph(1)).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture).astype(np.uint16) * 257)
    read = image.read(payload(picture, "TIFF" if mode == "CMYK" else "PNG"), "a.png")
    assert read.dtype == np.uint8
    assert read.shape == (32, 32, 1 if mode in ("1", "L", "LA", "I;16") else 3)
    if mode in ("L", "RGB", "I;16"):
        assert (read.squeeze() == np.asarray(Image.fromarray(photograph(1)).convert("RGB" if mode == "RGB" else "L"))).all()


def test_what_is_clear_becomes_white() -> None:
    assert (image.read(payload(Image.new("RGBA", (8, 8), (200, 0, 0, 0))), "a.png") == 255).all()


def test_the_first_frame_of_an_animation_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    moving = payload(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert image.read(moving, "a.gif")[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_pictures_are_turned_upright(format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    assert image.read(payload(Image.new("RGB", (16, 8)), format, exif=exif), "a").shape == (16, 8, 3)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"", "zero bytes"),
        (b"this is text", "not a picture.*this is text"),
        (payload(Image.fromarray(NOISE))[:900], "cannot be decoded"),
        (payload(Image.fromarray(NOISE), "JPEG")[:900], "cannot be decoded"),
        (header_alone(20_000, 20_000), "400000000 pixels"),
        (header_alone(8_000, 8_000), "8000 x 8000 pixels"),
        (header_alone(100, 100), "cannot be decoded"),
    ],
)
def test_what_cannot_be_used_says_why(broken: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        image.read(broken, "a.png")


def test_normalise_finds_grey_and_bounds_the_size() -> None:
    assert image.normalise(np.full((10, 10, 3), 7, np.uint8)).shape == (10, 10, 1)
    assert image.normalise(np.asarray(Image.fromarray(photograph(1, 600)).resize((600, 300)))).shape == (128, 256, 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_pack_and_unpack_are_inverse(channels: int) -> None:
    content = photograph(2)[:, :, :channels]
    assert (image.unpack(image.pack(content)) == content).all()


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ([(8, 8, 1)], (8, 8, 1)),
        ([(32, 32, 3), (32, 32, 1)], (32, 32, 3)),
        ([(30, 21, 1)], (32, 24, 1)),
        ([(480, 640, 3)], (24, 32, 3)),
        ([(100, 60, 3)], (32, 20, 3)),
        ([(20, 900, 1)], (8, 32, 1)),
    ],
)
def test_format_keeps_small_sizes_and_the_shape_of_large_ones(shapes: list[tuple[int, ...]], expected: tuple[int, ...]) -> None:
    form = image.choose_format([np.zeros(shape, np.uint8) for shape in shapes])
    assert (form.height, form.width, form.channels) == expected


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((8, 8, 1), []),
        ((32, 32, 3), []),
        ((47, 40, 3), []),
        ((100, 100, 3), [(48, 48), (64, 64), (96, 96)]),
        ((100, 60, 3), [(48, 32), (64, 40), (96, 56)]),
    ],
)
def test_larger_formats_are_no_larger_than_the_pictures(shape: tuple[int, ...], expected: list[tuple[int, int]]) -> None:
    contents = [np.zeros(shape, np.uint8)] * 3
    formats = image.larger(image.choose_format(contents), image.spread(contents))
    assert [(form.height, form.width) for form in formats] == expected
    assert {form.channels for form in formats} <= {shape[2]}


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "GIF"])
def test_what_is_put_on_white_is_counted(format: str) -> None:
    levels = np.full((8, 8, 4), 255, np.uint8)
    levels[2:4, 2:4, 3] = 0
    clear, opaque = Image.fromarray(levels), Image.fromarray(levels[:, :, :3])
    assert image.lost(payload(clear, format)) == ["transparent_put_on_white"]
    assert image.lost(payload(opaque, format)) == image.lost(payload(opaque.convert("RGBA"), format)) == []
    assert image.lost(payload(clear.quantize(), "PNG")) == ["transparent_put_on_white"]
    assert image.lost(payload(opaque, "JPEG")) == image.lost(payload(opaque, "BMP")) == []


def test_encode_and_decode_are_inverse_at_the_same_size() -> None:
    contents = [photograph(seed) for seed in range(3)]
    form = image.choose_format(contents)
    values = image.tensor(image.encode(contents, form))
    assert (values.shape, float(values.min()) >= -1, float(values.max()) <= 1) == ((3, 3, 32, 32), True, True)
    assert all((one == other).all() for one, other in zip(image.decode(values, form), contents, strict=True))


def test_other_sizes_and_channels_are_brought_to_the_format() -> None:
    values = image.encode([photograph(1, 100), photograph(2)[:, :, :1]], image.Format(height=16, width=12, channels=3))
    assert values.shape == (2, 3, 16, 12)
    assert (values[1, 0] == values[1, 2]).all()


def test_copies_are_near_duplicates_and_others_are_not(near_pairs) -> None:
    originals = [photograph(seed) for seed in range(40)]
    saved = [image.read(payload(Image.fromarray(content), "JPEG", quality=85), "a.jpg") for content in originals[:10]]
    larger = [np.asarray(Image.fromarray(content).resize((64, 64))) for content in originals[:10]]
    prints = [image.fingerprint(content).near for content in originals + saved + larger]
    copies = (
        {(at, 40 + at) for at in range(10)} | {(at, 50 + at) for at in range(10)} | {(40 + at, 50 + at) for at in range(10)}
    )
    assert near_pairs(image, prints) == copies


def test_digits_of_one_class_are_not_lumped_together(near_pairs) -> None:
    digits = [np.uint8(pixels * 255 / 16).reshape(8, 8, 1) for pixels in load_digits().data]
    pairs = near_pairs(image, [image.fingerprint(digit).near for digit in digits], whole=False)
    assert len(pairs) <= 5  # of 1.6 million
    assert {int(load_digits().target[at]) for pair in pairs for at in pair} == {1}  # upright strokes


def test_write_and_preview(tmp_path) -> None:
    path = image.write(photograph(1), tmp_path / "item")
    assert (image.read(path.read_bytes(), path.name) == photograph(1)).all()
    assert "data:image/png;base64," in image.preview(photograph(1))


def test_a_plain_png_is_kept_as_it_is() -> None:
    picture = Image.fromarray(photograph(1))
    assert image.is_packed(image.pack(photograph(1)))
    assert image.is_packed(payload(picture.convert("L")))
    assert image.is_packed(payload(Image.fromarray(NOISE.repeat(5, axis=0))))  # in several pieces
    info = PngInfo()
    info.add_text("Author", "somebody")
    others = [payload(picture, dpi=(72, 72)), payload(picture, pnginfo=info), payload(picture, "JPEG"), b"", b"\x89PNG"]
    others += [payload(picture.convert(mode)) for mode in ("P", "RGBA", "1")] + [
        payload(picture) + b"more",
        payload(picture)[:-1],
    ]
    assert not any(image.is_packed(other) for other in others)
