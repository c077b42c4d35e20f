"""Sounds as files of the formats that OpenAI's clients ask for, their label inside where there is room."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aigc_models.errors import BadInput
from tasks.use.provenance import Label, labelled, sound_tags

if TYPE_CHECKING:
    from aigc_models.modalities.audio import Sound

PCM_RATE = 24_000  # Hz: what OpenAI's clients take raw samples for


class Kind(NamedTuple):
    """How libsndfile writes a format, and at which rates (Hz; none: any)."""

    media: str
    format: str
    subtype: str
    rates: tuple[int, ...] = ()


OPUS = (8_000, 12_000, 16_000, 24_000, 48_000)
LAYER_3 = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
KINDS = {
    "wav": Kind("audio/wav", "WAV", "PCM_16"),
    "flac": Kind("audio/flac", "FLAC", "PCM_16"),
    "mp3": Kind("audio/mpeg", "MP3", "MPEG_LAYER_III", LAYER_3),
    "opus": Kind("audio/ogg", "OGG", "OPUS", OPUS),
    "ogg": Kind("audio/ogg", "OGG", "VORBIS"),
    "pcm": Kind("audio/pcm", "RAW", "PCM_16", (PCM_RATE,)),
}


def available() -> list[str]:
    """The formats that the libsndfile at hand writes."""
    import soundfile

    return [name for name, kind in KINDS.items() if soundfile.check_format(kind.format, kind.subtype)]


def kind_of(name: str) -> Kind:
    """The format called `name`; raises `BadInput` naming those that there are."""
    there = available()
    if name not in there:
        raise BadInput(f"response_format: {name!r} is not supported here; supported: {', '.join(there)}")
    return KINDS[name]


def encoded(sound: Sound, kind: Kind, label: Label, wav: bytes) -> bytes:
    """The sound as a file; `wav`: its canonical bytes, which are what a WAV holds."""
    import soundfile

    if kind.format == "WAV":
        return labelled(wav, ".wav", label)
    values, rate = _resampled(sound, kind)
    if kind.format == "RAW":
        return np.clip(np.rint(values.mean(axis=1) * 32768), -32768, 32767).astype("<i2").tobytes()
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", rate, values.shape[1], kind.subtype, format=kind.format) as file:
        for name, text in sound_tags(label).items():
            setattr(file, name, text)
        file.write(values)
    return buffer.getvalue()


def _resampled(sound: Sound, kind: Kind) -> tuple[np.ndarray, int]:
    """float32 (sample, channel) at a rate that the format has: its own, or else the next one above."""
    import soxr

    values = np.ascontiguousarray(sound.values.T)
    if not kind.rates or sound.rate in kind.rates:
        return values, sound.rate
    rate = next((rate for rate in kind.rates if rate > sound.rate), kind.rates[-1])
    return np.asarray(soxr.resample(values, sound.rate, rate), dtype=np.float32), rate
