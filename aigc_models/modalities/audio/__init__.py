"""Sounds. An item's content is a `Sound`: float32 (channel, sample) in [-1, 1] at a rate in Hz."""

from __future__ import annotations

import base64
import hashlib
import io
import math
import wave
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aigc_models.fingerprints.fingerprint import Fingerprint
from aigc_models.modalities.audio import measuring, signature
from aigc_models.modalities.audio.drawing import picture
from aigc_models.modalities.audio.format import GRID, Format
from aigc_models.modalities.audio.sound_file import LONGEST, Sound, decoded

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64"})
suffix = ".wav"

KEPT_RATE = 48_000  # Hz: sounds at a higher rate are kept at this one in the clean table
USUAL_RATE = 16_000  # Hz: above it a format is chosen by the user alone
USUAL_SECONDS = 2.0
FADE = 0.005  # seconds over which the end of a sound that is cut fades out
FULL = 32768  # 16-bit steps from 0 to full scale
SHOWN = 5.0  # seconds of a preview
SILENT = 0.001  # of full scale, 60 dB under it: what swings no further is not heard

positions = signature.positions
alike_prints = signature.alike_prints


measures = measuring.measures
embedding = measuring.embedding


def read(payload: bytes, name: str) -> Sound:
    """What libsndfile reads, at most the first 10 s of it; raises `Unreadable`."""
    return decoded(payload, name)


def validate(content: Sound) -> str | None:
    """The reason why this cannot be used as a sound, or None."""
    if content.values.shape[1] < 2:
        return "is a single sample, which is no sound" if content.values.size else "has no samples: it is empty, or cut off"
    broken = int(content.values.size - np.isfinite(content.values).sum())
    return f"{broken} of {content.values.size} samples are no finite numbers (NaN or infinity)" if broken else None


def normalise(content: Sound) -> Sound:
    """At most stereo and 48 kHz, mono where both channels are alike, within [-1, 1], on the 16-bit grid."""
    values = content.values
    if len(values) > 2 or (len(values) == 2 and (values[0] == values[1]).all()):
        values = values.mean(axis=0, keepdims=True)
    peak = float(np.abs(values).max(initial=0.0))
    if peak > 1:  # floating-point files may go beyond full scale
        values = values / np.float32(peak)
    return _of_steps(_steps(_resampled(values, content.rate, min(content.rate, KEPT_RATE))), min(content.rate, KEPT_RATE))


def _resampled(values: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    import soxr

    if rate == wanted:
        return values
    return np.asarray(soxr.resample(np.ascontiguousarray(values.T), rate, wanted), dtype=np.float32).T


def _steps(values: np.ndarray) -> np.ndarray:
    """int16; what lies outside [-1, 1] is clipped."""
    return np.clip(np.rint(values * FULL), -FULL, FULL - 1).astype(np.int16)


def _of_steps(steps: np.ndarray, rate: int) -> Sound:
    return Sound(steps.astype(np.float32) / np.float32(FULL), rate)


def pack(content: Sound) -> bytes:
    """As WAV, 16 bits a sample, without metadata."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((len(content.values), 2, content.rate, content.values.shape[1], "NONE", "not compressed"))
        file.writeframes(_steps(content.values).T.astype("<i2").tobytes())
    return buffer.getvalue()


def unpack(payload: bytes) -> Sound:
    with wave.open(io.BytesIO(payload), "rb") as file:
        steps = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, file.getnchannels())
        return _of_steps(np.ascontiguousarray(steps.T), file.getframerate())


def fingerprint(content: Sound) -> Fingerprint:
    """`near`: levels of bands over time, free of loudness."""
    steps = _steps(content.values)
    exact = hashlib.sha256(repr((steps.shape, content.rate)).encode() + steps.astype("<i2").tobytes()).hexdigest()
    return Fingerprint(exact, signature.signature(content.values, content.rate))


def choose_format(contents: Sequence[Sound]) -> Format:
    """The usual rate, at most 16 kHz; a length that 95 of 100 sounds do not exceed, at most 2 s; the usual channels."""
    (usual, _), *_ = Counter(content.rate for content in contents).most_common(1)
    rate = min(usual, USUAL_RATE)
    durations = [content.seconds for content in contents]
    seconds = min(float(np.quantile(durations, 0.95, method="inverted_cdf")), USUAL_SECONDS)
    stereo = sum(len(content.values) == 2 for content in contents)
    length = GRID * max(1, math.ceil(round(seconds * rate) / GRID))
    return Format(rate=rate, samples=length, channels=2 if 2 * stereo > len(contents) else 1)


def encode(contents: Sequence[Sound], format: Format) -> np.ndarray:
    """int16 (item, channel, sample); longer sounds are cut and fade out, shorter ones end in silence."""
    values = np.zeros((len(contents), format.channels, format.samples), dtype=np.int16)
    for row, content in enumerate(contents):
        fitted = _fitted(content, format)
        values[row, :, : fitted.shape[1]] = _steps(fitted)
    return values


def _fitted(content: Sound, format: Format) -> np.ndarray:
    """float32 (channel, at most format.samples)."""
    longest = math.ceil((format.samples + GRID) / format.rate * content.rate)  # no more is resampled than is used
    values = _resampled(_mixed(content.values[:, :longest], format.channels), content.rate, format.rate)
    if values.shape[1] <= format.samples:
        return values
    values = values[:, : format.samples].copy()
    fade = min(format.samples, round(FADE * format.rate))
    values[:, format.samples - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return values


def _mixed(values: np.ndarray, channels: int) -> np.ndarray:
    if len(values) == channels:
        return values
    return np.repeat(values.mean(axis=0, keepdims=True), channels, axis=0)


def tensor(values: np.ndarray) -> Tensor:
    """float32 (item, channel, sample) in [-1, 1]."""
    import torch

    return torch.from_numpy(np.asarray(values).astype(np.float32) / np.float32(FULL))


def decode(values: Tensor, format: Format) -> list[Sound]:
    """float (item, channel, sample) back to sounds; what lies outside [-1, 1] is clipped."""
    return [_of_steps(_steps(item), format.rate) for item in values.detach().cpu().float().numpy()]


def canvas(format: Format) -> Any:
    """Sounds of this format as pictures that convolutions learn: spectrograms."""
    from aigc_models.modalities.audio.spectrogram import Spectrogram

    return Spectrogram(format)


def write(content: Sound, path: Path) -> Path:
    """Write `content` as WAV; gives the path."""
    target = path.with_name(path.name.removesuffix(suffix) + suffix)
    target.write_bytes(pack(content))
    return target


def emptiness(content: Sound) -> str | None:
    """`silent` where no channel swings further than `SILENT`, else None."""
    return "silent" if np.ptp(content.values, axis=1).max(initial=0.0) <= 2 * SILENT else None


def preview(content: Sound) -> str:
    """The item's spectrogram and a player, as a piece of HTML that needs nothing else; long sounds are cut."""
    shown = Sound(content.values[:, : int(SHOWN * content.rate)], content.rate)
    image, sound = (base64.b64encode(data).decode() for data in (picture(shown), pack(shown)))
    about = f"{content.seconds:.2f} s at {content.rate:,} Hz, spectrogram up to {content.rate // 2:,} Hz"
    return (
        f'<span style="display:inline-block"><img alt="{about}" title="{about}" width="200" height="96" '
        f'style="display:block;border-radius:4px" src="data:image/png;base64,{image}">'
        f'<audio controls style="display:block;width:200px;height:32px" src="data:audio/wav;base64,{sound}"></audio></span>'
    )


def spread(contents: Sequence[Sound]) -> dict[str, Any]:
    """Durations in seconds and levels in decibels under full scale (lowest, median, highest); counts of rates and channels."""
    measured = measures(contents)
    spans = {name: measured[name] for name in ("seconds", "level_db", "peak_db")}
    kept = {
        name: [round(float(figure), 3) for figure in (span.min(), np.median(span), span.max())] for name, span in spans.items()
    }
    rates = Counter(str(content.rate) for content in contents)
    channels = Counter(str(len(content.values)) for content in contents)
    counts = {"rates": dict(sorted(rates.items())), "channels": dict(sorted(channels.items()))}
    return {**kept, **counts, "cut_to_10_s": int((measured["seconds"] >= LONGEST - 1e-3).sum())}
