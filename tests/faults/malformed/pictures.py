"""Malformed pictures: damaged files of six formats, and headers that lie."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import damage
import numpy as np
from damage import Files, Makers
from PIL import Image

FORMATS = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "webp": "WEBP", "bmp": "BMP", "tiff": "TIFF"}
START = b"\x89PNG\r\n\x1a\n"
RGB, GREY, PALETTE = 2, 0, 3  # colour types of PNG


def sample(seed: int, height: int = 24, width: int = 32, mode: str = "RGB") -> Image.Image:
    """A picture with shapes and grain."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [127 + 90 * np.sin(x / chance.uniform(2, 9) + y / chance.uniform(2, 9)) for _ in range(3)]
    levels = np.stack(waves, axis=-1) + chance.normal(0, 12, (height, width, 3))
    return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8)).convert(mode)


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=format, **options)
    return buffer.getvalue()


def good(count: int = 40) -> Files:
    kinds = list(FORMATS.items())
    return {f"good-{at:02d}.{kinds[at % 6][0]}": saved(sample(at), kinds[at % 6][1]) for at in range(count)}


def chunk(kind: bytes, data: bytes, checksum: int | None = None, length: int | None = None) -> bytes:
    """A chunk of a PNG; the checksum is right where none is given."""
    crc = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data) if length is None else length) + kind + data + struct.pack(">I", crc)


def png(*chunks: bytes, width: int = 8, height: int = 8, depth: int = 8, kind: int = RGB, interlace: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlace)
    return START + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def rows(width: int = 8, height: int = 8, bytes_each: int = 3) -> bytes:
    body = damage.noise(width * bytes_each)
    return chunk(b"IDAT", zlib.compress((b"\0" + body) * height))


def flat(size: int, level: int = 9) -> bytes:
    """`size` zero bytes, packed a piece at a time."""
    packer = zlib.compressobj(level)
    piece = bytes(1 << 20)
    packed = [packer.compress(piece[: min(1 << 20, size - at)]) for at in range(0, size, 1 << 20)]
    return b"".join(packed) + packer.flush()


def pngs() -> Files:
    frame = struct.pack(">IIIIIHHBB", 0, 90_000, 90_000, 0, 0, 1, 10, 0, 0)
    return {
        "huge-claim.png": png(rows(), width=50_000, height=50_000),
        "largest-claim.png": png(rows(), width=2**31 - 1, height=2**31 - 1),
        "no-width.png": png(rows(), width=0),
        "no-height.png": png(rows(), height=0),
        "taller-than-data.png": png(rows(), height=4000),
        "three-bits.png": png(rows(), depth=3),
        "colour-type-7.png": png(rows(), kind=7),
        "sixteen-bit-palette.png": png(rows(), depth=16, kind=PALETTE),
        "interlace-9.png": png(rows(), interlace=9),
        "interlaced.png": png(rows(), interlace=1),
        "no-data.png": png(),
        "no-palette.png": png(rows(bytes_each=1), kind=PALETTE),
        "short-palette.png": png(chunk(b"PLTE", bytes(6)), rows(bytes_each=1), kind=PALETTE),
        "odd-palette.png": png(chunk(b"PLTE", bytes(7)), rows(bytes_each=1), kind=PALETTE),
        "long-transparency.png": png(chunk(b"tRNS", bytes(999)), rows()),
        "bad-checksum.png": png(chunk(b"IDAT", zlib.compress(bytes(200)), checksum=1)),
        "bad-header-checksum.png": START + chunk(b"IHDR", bytes(13), checksum=7) + rows() + chunk(b"IEND", b""),
        "bad-comment-checksum.png": png(chunk(b"tEXt", b"Comment\0hello", checksum=1), rows()),
        "data-of-noise.png": png(chunk(b"IDAT", damage.noise(300))),
        "length-of-2-gb.png": png(chunk(b"IDAT", b"x", length=2**31 - 1)),
        "length-of-4-gb.png": png(chunk(b"tEXt", b"x", length=2**32 - 1), rows()),
        "many-pieces.png": png(*[chunk(b"IDAT", bytes([byte])) for byte in zlib.compress(bytes(200) * 4)]),
        "ten-thousand-comments.png": png(*[chunk(b"tEXt", b"k%d\0v" % at) for at in range(10_000)], rows()),
        "profile-of-noise.png": png(chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(damage.noise(900))), rows()),
        "profile-not-packed.png": png(chunk(b"iCCP", b"sRGB\0\0" + damage.noise(900)), rows()),
        "animation-of-no-frames.png": png(chunk(b"acTL", struct.pack(">II", 0, 0)), rows()),
        "animation-of-4-billion-frames.png": png(chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0)), rows()),
        "frame-beyond-canvas.png": png(chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"fcTL", frame), rows()),
        "strip.png": png(chunk(b"IDAT", flat(9 * 10_000)), width=2, height=10_000),
        "meta-nonsense.png": png(chunk(b"eXIf", damage.noise(400)), rows()),
        "density-nonsense.png": png(chunk(b"pHYs", b"\xff" * 3), chunk(b"gAMA", b""), chunk(b"cHRM", b"\0"), rows()),
        "header-twice.png": png(chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, RGB, 0, 0, 0)), rows()),
        "only-start.png": START,
        "only-end.png": START + chunk(b"IEND", b""),
    }


def exif(data: bytes) -> bytes:
    """A small JPEG with this as its metadata."""
    segment = b"Exif\0\0" + data
    body = saved(sample(3), "JPEG")
    return body[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + body[2:]


def altered(data: bytes, marker: bytes, skip: int, value: bytes) -> bytes:
    """`data` with bytes put over those `skip` behind the first `marker`."""
    at = data.index(marker) + len(marker) + skip
    return data[:at] + value + data[at + len(value) :]


def jpegs() -> Files:
    plain = saved(sample(1), "JPEG")
    tag = struct.pack("<2sHIHHHIIHI", b"II", 42, 8, 2, 0x0112, 3, 1, 99, 0x8769, 4) + struct.pack("<III", 1, 8, 8)
    scans = saved(sample(4, 64, 64), "JPEG", progressive=True)
    at = scans.index(b"\xff\xda")
    tables = b"".join(b"\xff\xdb" + struct.pack(">H", 67) + bytes([0]) + bytes([1]) * 64 for _ in range(900))
    return {
        "huge-claim.jpg": altered(plain, b"\xff\xc0", 3, struct.pack(">HH", 65_500, 65_500)),
        "below-the-limit.jpg": altered(plain, b"\xff\xc0", 3, struct.pack(">HH", 7000, 7000)),
        "no-height.jpg": altered(plain, b"\xff\xc0", 3, bytes(2)),
        "no-width.jpg": altered(plain, b"\xff\xc0", 5, bytes(2)),
        "twelve-bits.jpg": altered(plain, b"\xff\xc0", 2, b"\x0c"),
        "no-components.jpg": altered(plain, b"\xff\xc0", 7, b"\0"),
        "lossless.jpg": plain.replace(b"\xff\xc0", b"\xff\xc3", 1),
        "arithmetic.jpg": plain.replace(b"\xff\xc0", b"\xff\xc9", 1),
        "no-tables.jpg": plain.replace(b"\xff\xc4", b"\xff\xe9"),
        "many-scans.jpg": scans[:at] + scans[at:-2] * 300 + b"\xff\xd9",
        "passes-40000.jpg": altered(
            scans[:at] + scans[at:-2] * 4000 + b"\xff\xd9", b"\xff\xc2", 3, struct.pack(">HH", 7000, 7000)
        ),
        "many-tables.jpg": plain[:2] + tables + plain[2:],
        "four-inks.jpg": saved(sample(5).convert("CMYK"), "JPEG"),
        "meta-turned-99.jpg": exif(tag),
        "meta-of-noise.jpg": exif(damage.noise(3000)),
        "meta-empty.jpg": exif(b""),
        "meta-that-loops.jpg": exif(struct.pack("<2sHIHI", b"II", 42, 8, 0, 8)),
        "profile-of-noise.jpg": saved(sample(6), "JPEG", icc_profile=damage.noise(900)),
        "comment-of-64-kb.jpg": saved(sample(7), "JPEG", comment=b"x" * 65_000),
        "only-start.jpg": b"\xff\xd8\xff",
        "never-ends.jpg": plain[:-2] + b"\xff\xd0" * 5000,
    }


def others() -> Files:
    """GIF, WebP and BMP."""
    gif, webp, bmp = (saved(sample(8), kind) for kind in ("GIF", "WEBP", "BMP"))
    frames = [sample(at, 8, 8) for at in range(3)]
    moving = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    many = moving[:-1] + moving[moving.index(b"\x21\xf9") : -1] * 500 + b";"
    extended = b"VP8X" + struct.pack("<II", 10, 2) + (16_383).to_bytes(3, "little") * 2
    body = webp[12:]
    return {
        "huge-claim.gif": gif[:6] + struct.pack("<HH", 65_535, 65_535) + gif[10:],
        "no-size.gif": gif[:6] + bytes(4) + gif[10:],
        "frame-beyond-canvas.gif": altered(gif, b",", 0, struct.pack("<HH", 60_000, 60_000)),
        "frame-of-no-size.gif": altered(gif, b",", 4, bytes(4)),
        "no-frame.gif": gif[:13] + b";",
        "code-size-200.gif": altered(gif, b",", 8, b"\0\xc8"),
        "many-frames.gif": many,
        "moving.webp": saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "huge-claim.webp": b"RIFF" + struct.pack("<I", len(body) + 22) + b"WEBP" + extended + body,
        "size-lies.webp": webp[:4] + struct.pack("<I", 2**31) + webp[8:],
        "no-size.webp": webp[:4] + bytes(4) + webp[8:],
        "upside-down.bmp": altered(bmp, b"BM", 20, struct.pack("<i", -24)),
        "huge-claim.bmp": altered(bmp, b"BM", 16, struct.pack("<ii", 50_000, 50_000)),
        "negative-width.bmp": altered(bmp, b"BM", 16, struct.pack("<i", -32)),
        "lowest-height.bmp": altered(bmp, b"BM", 20, struct.pack("<i", -(2**31))),
        "three-bits.bmp": altered(bmp, b"BM", 26, struct.pack("<H", 3)),
        "packed-nonsense.bmp": altered(bmp, b"BM", 26, struct.pack("<HI", 8, 1)),
        "unknown-packing.bmp": altered(bmp, b"BM", 28, struct.pack("<I", 77)),
        "data-elsewhere.bmp": altered(bmp, b"BM", 8, struct.pack("<I", 2**31)),
        "four-billion-colours.bmp": altered(bmp, b"BM", 44, struct.pack("<I", 2**32 - 1)),
    }


def tiff(*tags: tuple[int, int, int, int], data: bytes = b"", next_at: int = 0) -> bytes:
    """A TIFF with one directory; each tag is its number, type, count and value."""
    body = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + body + struct.pack("<I", next_at) + data


def tiffs() -> Files:
    def one(width: int = 8, height: int = 8, bits: int = 8, packing: int = 1, samples: int = 1, **more: Any) -> bytes:
        tags = {256: width, 257: height, 258: bits, 259: packing, 262: 1, 273: 200, 277: samples, 278: height}
        tags |= {279: more.get("size", 64)} | more.get("tags", {})
        told = tiff(*[(tag, 4, 1, value) for tag, value in tags.items()], next_at=more.get("next_at", 0))
        return told.ljust(200, b"\0") + more.get("data", damage.noise(64))

    return {
        "huge-claim.tiff": one(50_000, 50_000),
        "below-the-limit.tiff": one(7000, 7000),
        "no-size.tiff": one(0, 0),
        "seven-bits.tiff": one(bits=7),
        "hundred-samples.tiff": one(samples=100),
        "unknown-packing.tiff": one(packing=31_337),
        "data-elsewhere.tiff": one(tags={273: 2**31}),
        "strip-of-4-gb.tiff": one(size=2**32 - 1),
        "that-loops.tiff": one(next_at=8),
        "bomb.tiff": one(7000, 7000, packing=8, data=flat(49_000_000), size=len(flat(49_000_000))),
        "floating.tiff": saved(Image.fromarray(np.ones((8, 8), np.float32)), "TIFF"),
        "thirty-two-bits.tiff": saved(Image.fromarray(np.arange(64, dtype=np.int32).reshape(8, 8) * 999), "TIFF"),
        "no-tags.tiff": tiff(),
        "tags-that-are-not-there.tiff": struct.pack("<2sHIH", b"II", 42, 8, 65_535),
        "directory-elsewhere.tiff": struct.pack("<2sHI", b"II", 42, 2**32 - 1),
        "tag-of-4-billion-values.tiff": tiff((256, 4, 2**32 - 1, 8), (257, 3, 1, 8)),
        "tiles-of-no-size.tiff": one(tags={322: 0, 323: 0, 324: 200, 325: 64}),
        "jpeg-inside.tiff": one(packing=7),
        "fax.tiff": one(packing=4, bits=1),
    }


def heavy() -> Makers:
    """Bombs: each unpacks to far more than it has."""
    return {
        "comment-bomb.png": lambda: png(chunk(b"zTXt", b"Comment\0\0" + flat(200_000_000)), rows()),
        "many-comment-bombs.png": lambda: png(*[chunk(b"zTXt", b"c%d\0\0" % at + flat(900_000)) for at in range(90)], rows()),
        "international-comment-bomb.png": lambda: png(chunk(b"iTXt", b"Comment\0\1\0\0\0" + flat(200_000_000)), rows()),
        "profile-bomb.png": lambda: png(chunk(b"iCCP", b"sRGB\0\0" + flat(200_000_000)), rows()),
        "pixel-bomb.png": lambda: png(chunk(b"IDAT", flat(7000 * 21_001)), width=7000, height=7000),
        "pixel-bomb-with-alpha.png": lambda: png(chunk(b"IDAT", flat(7000 * 28_001)), width=7000, height=7000, kind=6),
        "pixel-bomb-of-16-bits.png": lambda: png(
            chunk(b"IDAT", flat(7000 * 56_001)), width=7000, height=7000, depth=16, kind=6
        ),
        "more-data-than-pixels.png": lambda: png(chunk(b"IDAT", flat(300_000_000))),
    }


def bad() -> Files:
    whole = {f"photo.{suffix}": saved(sample(99), format) for suffix, format in FORMATS.items()}
    texts = {
        "letter.txt": b"Dear Sir, " * 40,
        "page.html": b"<html><img src=x></html>",
        "drawing.eps": b"%!PS-Adobe-3.0 EPSF\n",
    }
    texts |= {"drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>', "paper.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"}
    texts |= {"archive.zip": b"PK\x05\x06" + bytes(18), "noise.bin": damage.noise(2000), "zeros.bin": bytes(2000)}
    damaged = damage.cut(whole) | damage.flipped(whole) | damage.swollen(whole)
    return damaged | damage.misnamed(texts, "png") | pngs() | jpegs() | others() | tiffs() | {"zero.png": b""}
