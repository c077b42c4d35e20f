"""What first bytes say."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from PIL import Image

from tasks.ingest.readers.magic import modality_of


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF"])
def test_sounds_are_told(format: str) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(4000), 8000, format=format)
    assert modality_of(buffer.getvalue()[:16]) == "audio"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP", "TIFF"])
def test_pictures_are_told(format: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, format=format)
    assert modality_of(buffer.getvalue()[:16]) == "image"


@pytest.mark.parametrize("head", [b"", b"RIFF", b"RIFF\0\0\0\0AVI ", b"%PDF-1.7", b"words and more words", b"PK\3\4"])
def test_other_bytes_are_not(head: bytes) -> None:
    assert modality_of(head) is None
