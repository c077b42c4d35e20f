"""Bytes of a sound file to samples, through libsndfile, with bounds on what a file may claim."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aigc_models.errors import Unreadable

if TYPE_CHECKING:
    import soundfile

LOWEST_RATE, HIGHEST_RATE = 1_000, 384_000  # Hz
MOST_CHANNELS = 32
LONGEST = 10.0  # seconds: of a longer sound the beginning is decoded and kept
MOST_VALUES = 32_000_000  # samples times channels that are decoded at all: 128 MB
STREAMED = 0x7FFF0000  # a length from here on was written by a program that did not know it yet


@dataclass(frozen=True, eq=False)
class Sound:
    """`values` float32 (channel, sample) in [-1, 1], `rate` in Hz."""

    values: np.ndarray
    rate: int

    @property
    def seconds(self) -> float:
        return self.values.shape[1] / self.rate


def decoded(payload: bytes, name: str) -> Sound:
    """The first `LONGEST` seconds of a file, whatever length its header claims; raises `Unreadable`.

    Rate and channels are checked before anything is decoded.
    """
    import soundfile

    if not payload:
        raise Unreadable(f"zero bytes ({name})")
    try:
        with soundfile.SoundFile(io.BytesIO(payload)) as file:
            _check(file, payload)
            values = file.read(_frames(file), dtype="float32", always_2d=True)
            if len(values) < _frames(file):
                raise Unreadable(f"cut off: {len(values):,} of {file.frames:,} samples are there")
            return Sound(np.ascontiguousarray(values.T), file.samplerate)
    except soundfile.SoundFileError as error:
        raise Unreadable(_reason(payload, error)) from error


def _check(file: soundfile.SoundFile, payload: bytes) -> None:
    if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        claim = f"claims {file.samplerate:,} samples a second"
        raise Unreadable(f"{claim}; what is read lies between {LOWEST_RATE:,} and {HIGHEST_RATE:,} Hz")
    if file.channels > MOST_CHANNELS:
        raise Unreadable(f"claims {file.channels} channels; the limit is {MOST_CHANNELS}")
    missing = _missing(payload)
    if missing:
        raise Unreadable(f"cut off: {missing:,} bytes of the sound are not there")


def _frames(file: soundfile.SoundFile) -> int:
    return min(file.frames, int(LONGEST * file.samplerate), MOST_VALUES // file.channels)


def _missing(payload: bytes) -> int:
    """How many bytes less than announced the data chunk of a WAV or AIFF file has; libsndfile does not say."""
    at = 12 if payload[:4] in (b"RIFF", b"FORM") else len(payload)
    while at + 8 <= len(payload):
        size = int.from_bytes(payload[at + 4 : at + 8], "little" if payload[:4] == b"RIFF" else "big")
        if payload[at : at + 4] in (b"data", b"SSND"):
            return 0 if size >= STREAMED else max(0, size - (len(payload) - at - 8))
        at += 8 + size + size % 2
    return 0


def _reason(payload: bytes, error: Exception) -> str:
    words = str(error).rsplit(": ", 1)[-1].rstrip(".")
    if "not recognised" in words or "not a regular file" in words:
        return f"not a sound: its first bytes are {payload[:12]!r}"
    return f"cannot be decoded: {words}"
