"""What first bytes say to people, and that words are no magic numbers."""

from __future__ import annotations

import pytest

from aigc_models.reading.first_bytes import kind, unlike


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        (b"RIFF\x24\0\0\0WAVE", "a WAV sound"),
        (b"RIFF\x24\0\0\0AVI ", None),
        (b"PK\3\4more", "a zip archive or an office document"),
        (b"\0\0\0\x20ftypisom", "a film or picture in an MP4 container"),
        (b"\n <!DOCTYPE HTML>", "a web page"),
        (b"BM\x36\x09\0\0", "a BMP picture"),
        (b"BMI,weight", None),
        (b"MZ\x90\0", "a program"),
        (b"ID3,label", None),
        (b"PKey,text", None),
        (b"", None),
    ],
)
def test_kinds(payload: bytes, expected: str | None) -> None:
    assert kind(payload) == expected


def test_a_file_of_the_wanted_kind_is_damaged_and_another_is_named() -> None:
    assert unlike("a picture", b"%PDF-1.7") == "not a picture but a PDF document"
    assert unlike("a picture", b"GIF89a").startswith("damaged, or of a kind that cannot be read: it begins as a GIF picture")
    assert unlike("a sound", b"plain words") == "not a sound: it begins with 'plain words'"
    assert unlike("a sound", b"\xff\xf0\0") == "not a sound: it begins with the bytes ff f0 00"
