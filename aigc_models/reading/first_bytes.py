"""What the first bytes of a file say that it is, in words for people who put a file where another kind was asked for."""

from __future__ import annotations

from aigc_models.reading.words import begins

STARTS = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF87a": "a GIF picture",
    b"GIF89a": "a GIF picture",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
    b"fLaC": "a FLAC sound",
    b"OggS": "an Ogg sound",
    b".snd": "an AU sound",
    b"caff": "a CAF sound",
    b"\xff\xfb": "an MP3 sound",
    b"\xff\xf3": "an MP3 sound",
    b"\xff\xe3": "an MP3 sound",
    b"riff.\x91\xcf\x11": "a W64 sound",
    b"MThd": "a MIDI file",
    b"PK\3\4": "a zip archive or an office document",
    b"PK\5\6": "an empty zip archive",
    b"\x1f\x8b": "a file packed by gzip",
    b"BZh": "a file packed by bzip2",
    b"\xfd7zXZ": "a file packed by xz",
    b"\x28\xb5\x2f\xfd": "a file packed by zstd",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!\x1a": "a RAR archive",
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript document",
    b"\xd0\xcf\x11\xe0": "an old office document",
    b"\x7fELF": "a program",
    b"SQLite format 3\0": "an SQLite database",
    b"PAR1": "a parquet table",
    b"ARROW1": "an Arrow table",
}
INSIDE = {b"WEBP": "a WebP picture", b"WAVE": "a WAV sound", b"AIFF": "an AIFF sound", b"AIFC": "an AIFF sound"}
BINARY = {b"BM": "a BMP picture", b"ID3": "an MP3 sound", b"MZ": "a program"}  # where a NUL byte follows soon: these are words
SOON = 16  # bytes
PAGE = "a web page"
PAGES = (b"<!doctype html", b"<html", b"<head", b"<body")


def kind(payload: bytes) -> str | None:
    """What it is, such as `a PNG picture`; None where it is text or cannot be recognised.

    >>> kind(b"%PDF-1.7"), kind(b" <!DOCTYPE html>"), kind(b"plain words")
    ('a PDF document', 'a web page', None)
    """
    if payload[:4] in (b"RIFF", b"FORM") and payload[8:12] in INSIDE:
        return INSIDE[payload[8:12]]
    if payload[4:8] == b"ftyp":
        return "a film or picture in an MP4 container"
    if payload[:100].lstrip().lower().startswith(PAGES):
        return PAGE
    starts = STARTS | BINARY if b"\0" in payload[:SOON] else STARTS
    return next((name for start, name in starts.items() if payload.startswith(start)), None)


def unlike(wanted: str, payload: bytes) -> str:
    """Why a file is not `wanted`, such as `a picture`: what it is instead, or how it begins."""
    actual = kind(payload)
    if actual and actual.endswith(wanted.split()[-1]):
        return f"damaged, or of a kind that cannot be read: it begins as {actual} does"
    return f"not {wanted} but {actual}" if actual else f"not {wanted}: it begins with {begins(payload[:12])}"
