"""Bytes of a sound file to samples, through libsndfile, with bounds on what a file may claim."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aigc_models.errors import Unreadable, no_content
from aigc_models.modalities.audio.chunks import missing
from aigc_models.reading import first_bytes

if TYPE_CHECKING:
    import soundfile

LOWEST_RATE, HIGHEST_RATE = 1_000, 384_000  # Hz
MOST_CHANNELS = 32
LONGEST = 10.0  # seconds: of a longer sound the beginning is decoded and kept
MOST_VALUES = 32_000_000  # samples times channels that are decoded at all: 128 MB
WORDS = {  # what libsndfile says, in part: what it means
    "SF_INFO struct incomplete": "its header claims a rate or a number of channels that cannot be",
    "Channel count is zero": "its header claims no channel",
    "channel": "its header claims a number of channels that cannot be",
    "unimplemented format": "its samples are written in a way that cannot be read",
    "'fmt ' chunk": "its header contradicts itself, or its samples are written in a way that cannot be read",
    "'data' chunk": "damaged or cut off: no samples are found in it",
    "malformed": "damaged or cut off",
    "psf_": "damaged: its header claims what is not there",
    "internal error": "damaged: its header claims what is not there",
    "flac decoder": "damaged or cut off",
}


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
        raise no_content(name)
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
    lost = missing(payload)
    if lost:
        raise Unreadable(f"cut off: {lost:,} bytes of the sound are not there")


def _frames(file: soundfile.SoundFile) -> int:
    return min(file.frames, int(LONGEST * file.samplerate), MOST_VALUES // file.channels)


def _reason(payload: bytes, error: Exception) -> str:
    message = str(error).rsplit(": ", 1)[-1].rstrip(".")
    if "not recognised" in message or "not a regular file" in message:
        return first_bytes.unlike("a sound", payload)
    return f"cannot be decoded: {next((words for part, words in WORDS.items() if part in message), message)}"
