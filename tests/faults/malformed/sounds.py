"""Malformed sounds: damaged files of seven formats, and headers that lie."""

from __future__ import annotations

import io
import struct

import damage
import numpy as np
import soundfile
from damage import Files, Makers

RATE = 8_000
FORMATS = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"), "mp3": ("MP3", "MPEG_LAYER_III")}
FORMATS |= {"aiff": ("AIFF", "PCM_16"), "au": ("AU", "PCM_16"), "caf": ("CAF", "PCM_16"), "w64": ("W64", "PCM_16")}
PLAIN, FLOAT, EXTENSIBLE, ULAW, ADPCM = 1, 3, 0xFFFE, 7, 2  # codes of a WAV's format


def melody(seed: int, seconds: float = 0.3) -> np.ndarray:
    chance = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    return sum(0.2 * np.sin(2 * np.pi * chance.uniform(200, 2000) * time + at) for at in range(3)) + chance.normal(
        0, 0.01, time.size
    )


def saved(values: np.ndarray, format: str, subtype: str, rate: int = RATE) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, values, rate, subtype=subtype, format=format)
    return buffer.getvalue()


def good(count: int = 40) -> Files:
    kinds = list(FORMATS.items())
    return {f"good-{at:02d}.{kinds[at % 8][0]}": saved(melody(at), *kinds[at % 8][1]) for at in range(count)}


def wav(
    code: int = PLAIN,
    channels: int = 1,
    rate: int = RATE,
    bits: int = 16,
    data: bytes | None = None,
    block: int | None = None,
    announced: int | None = None,
    extra: bytes = b"",
) -> bytes:
    """A WAV whose header says what it is told to say."""
    data = (melody(1) * 30_000).astype("<i2").tobytes() if data is None else data
    block = channels * bits // 8 if block is None else block
    form = struct.pack("<HHIIHH", code, channels % 2**16, rate, min(rate * block, 2**32 - 1), block % 2**16, bits)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + extra
    chunks += b"data" + struct.pack("<I", len(data) if announced is None else announced) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def floats(*values: float, size: int = 4) -> bytes:
    return np.array(values * 500, dtype=f"<f{size}").tobytes()


def wavs() -> Files:
    return {
        "rate-0.wav": wav(rate=0),
        "rate-1.wav": wav(rate=1),
        "rate-4-ghz.wav": wav(rate=2**32 - 1),
        "rate-2-ghz.wav": wav(rate=2**31 - 1),
        "channels-0.wav": wav(channels=0),
        "channels-255.wav": wav(channels=255),
        "channels-65535.wav": wav(channels=65_535),
        "bits-0.wav": wav(bits=0),
        "bits-7.wav": wav(bits=7),
        "bits-255.wav": wav(bits=255),
        "block-0.wav": wav(block=0),
        "block-9999.wav": wav(block=9999),
        "code-99.wav": wav(code=99),
        "code-0.wav": wav(code=0),
        "extensible-without-more.wav": wav(code=EXTENSIBLE),
        "adpcm-without-table.wav": wav(code=ADPCM, bits=4),
        "adpcm-block-0.wav": wav(code=ADPCM, bits=4, block=0),
        "announces-2-gb.wav": wav(announced=0x7FEFFFFF),
        "announces-4-gb.wav": wav(announced=2**32 - 1),
        "announces-one-more.wav": wav(announced=4801),
        "announces-nothing.wav": wav(announced=0),
        "no-samples.wav": wav(data=b""),
        "one-sample.wav": wav(data=b"\1\1"),
        "half-a-sample.wav": wav(data=b"\1"),
        "not-a-number.wav": wav(FLOAT, bits=32, data=floats(0.1, np.nan, -0.2)),
        "infinite.wav": wav(FLOAT, bits=32, data=floats(0.1, np.inf, -np.inf)),
        "enormous.wav": wav(FLOAT, bits=64, data=floats(1e300, -1e300, 0.5, size=8)),
        "beyond-full-scale.wav": wav(FLOAT, bits=32, data=floats(*(100 * melody(2)[:40]))),
        "denormal.wav": wav(FLOAT, bits=32, data=floats(1e-42, -1e-42)),
        "silent.wav": wav(data=bytes(8000)),
        "one-level.wav": wav(data=b"\0\x20" * 4000),
        "clipped.wav": wav(data=(np.sign(melody(3)) * 32_767).astype("<i2").tobytes()),
        "size-0.wav": b"RIFF" + bytes(4) + wav()[8:],
        "only-header.wav": wav()[:44],
        "only-riff.wav": b"RIFF\xff\xff\xff\xffWAVE",
        "chunk-of-4-gb.wav": wav(extra=b"junk" + struct.pack("<I", 2**32 - 1)),
        "big-endian.wav": b"RIFX" + wav()[4:],
        "rf64.wav": b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<IQQQI", 28, 2**63, 2**63, 2**63, 0) + wav()[12:],
    }


def others() -> Files:
    flac, ogg, aiff, au = (saved(melody(4), *FORMATS[kind]) for kind in ("flac", "ogg", "aiff", "au"))
    info = bytearray(flac)
    info[18:26] = (0xFFFFFFFFFFFFFFFF).to_bytes(8, "big")  # rate, channels, bits and the number of samples
    longest = bytearray(flac)
    longest[21] |= 0x0F
    longest[22:26] = b"\xff" * 4
    block = bytearray(flac)
    block[8:12] = b"\xff\xff\xff\xff"
    return {
        "all-claims.flac": bytes(info),
        "claims-68-billion-samples.flac": bytes(longest),
        "largest-block.flac": bytes(block),
        "picture-of-16-mb.flac": flac[:4] + b"\x06\xff\xff\xff" + flac[4:],
        "channels-255.ogg": ogg[:39] + b"\xff" + ogg[40:],
        "rate-0.ogg": ogg[:40] + bytes(4) + ogg[44:],
        "rate-4-ghz.ogg": ogg[:40] + b"\xff" * 4 + ogg[44:],
        "pages-shuffled.ogg": ogg[:58] + ogg[len(ogg) // 2 :] + ogg[58 : len(ogg) // 2],
        "page-twice.ogg": ogg + ogg,
        "channels-32767.aiff": aiff[:20] + b"\x7f\xff" + aiff[22:],
        "frames-4-billion.aiff": aiff[:22] + b"\xff" * 4 + aiff[26:],
        "rate-not-a-number.aiff": aiff[:28] + b"\x7f\xff" + b"\xff" * 8 + aiff[38:],
        "rate-0.aiff": aiff[:28] + bytes(10) + aiff[38:],
        "data-at-4-gb.au": au[:4] + b"\xff" * 4 + au[8:],
        "unknown-coding.au": au[:12] + struct.pack(">I", 99) + au[16:],
        "channels-4-billion.au": au[:20] + b"\xff" * 4 + au[24:],
        "rate-4-ghz.au": au[:16] + b"\xff" * 4 + au[20:],
        "tag-of-256-mb.mp3": b"ID3\4\0\0\x7f\x7f\x7f\x7f" + saved(melody(5), *FORMATS["mp3"]),
        "frames-of-noise.mp3": b"\xff\xfb\x90\x64" + damage.noise(4000),
        "only-marks.mp3": b"\xff\xfb\x90\x64" * 2000,
        "zero.wav": b"",
    }


def heavy() -> Makers:
    """Those that are large."""
    return {
        "comments-100000.wav": lambda: wav(extra=b"LIST\4\0\0\0INFO" * 100_000),
        "silence-bomb.flac": lambda: saved(np.zeros(40_000_000, dtype=np.int16), "FLAC", "PCM_16", 384_000),
        "hour.wav": lambda: wav(ULAW, bits=8, data=bytes(range(256)) * 40_000),
    }


def bad() -> Files:
    whole = {f"song.{suffix}": saved(melody(9), *kind) for suffix, kind in FORMATS.items()}
    others_named = {
        "letter.txt": b"Dear Sir, " * 40,
        "photo.png": b"\x89PNG\r\n\x1a\n" + bytes(90),
        "noise.bin": damage.noise(2000),
    }
    others_named |= {"zeros.bin": bytes(2000), "page.html": b"<html></html>", "film.mp4": b"\0\0\0\x20ftypisom" + bytes(200)}
    others_named |= {"midi.mid": b"MThd\0\0\0\6\0\1\0\2\1\xe0" + bytes(60), "flac.flac": saved(melody(6), *FORMATS["flac"])}
    damaged = damage.cut(whole, (0.02, 0.4, 0.8)) | damage.flipped(whole, 4) | damage.swollen(whole)
    return damaged | damage.misnamed(others_named, "wav") | wavs() | others()
