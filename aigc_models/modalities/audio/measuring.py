"""Sounds as numbers: what can be measured of each, and how its levels are spread over pitch and time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aigc_models.modalities.audio.signature import BANDS, SLICES, WINDOW, compared, powers
from aigc_models.modalities.audio.sound_file import Sound

NAMES = ("level_db", "peak_db", "zero_crossings", "centre_hz", "offset", "quiet_share")
PARTS = 3  # of a sound's time
FEATURES = (PARTS + 1) * BANDS
QUIET = 40.0  # decibels under the peak, below which a sample counts as silence
_LOUDEST = (WINDOW / 4) ** 2  # power of a full-scale sine in its band
_FLOOR = 1e-10  # of that, below which nothing is heard


def measures(contents: Sequence[Sound]) -> dict[str, np.ndarray]:
    """Of each sound, float64 (item,): its length in seconds, rate in Hz, channels, level (root of the mean square) and peak
    in decibels under full scale, zero crossings a second, the mean of its spectrum in Hz, its offset, and the share of
    samples that lie `QUIET` decibels or more under the peak."""
    rows = np.array([_measured(content) for content in contents], dtype=np.float64).reshape(len(contents), len(NAMES))
    return {
        "seconds": np.array([content.seconds for content in contents], dtype=np.float64),
        "rate": np.array([content.rate for content in contents], dtype=np.float64),
        "channels": np.array([len(content.values) for content in contents], dtype=np.float64),
        **dict(zip(NAMES, rows.T, strict=True)),
    }


def _measured(content: Sound) -> list[float]:
    values = content.values.astype(np.float64)
    mono, peak = values.mean(axis=0), float(np.abs(values).max(initial=0.0))
    power = np.abs(np.fft.rfft(mono)) ** 2
    pitches = np.fft.rfftfreq(len(mono), 1 / content.rate)
    return [
        10 * float(np.log10(np.mean(values**2) + 1e-12)),
        20 * float(np.log10(peak + 1e-6)),
        np.count_nonzero(np.diff(np.signbit(mono))) / content.seconds,
        float(pitches @ power / (power.sum() + 1e-12)),
        float(mono.mean()),
        float((np.abs(values) <= peak * 10 ** (-QUIET / 20)).mean()),
    ]


def embedding(contents: Sequence[Sound]) -> np.ndarray:
    """Float32 (item, `FEATURES`), about in [-1, 1]: levels of mel bands in `PARTS` parts of the time, and their spread.

    How loud it is counts. Sounds are compared as `_sound_print` does it: at 8 kHz, if enough is left of them there.
    """
    rows = [_levels(content) for content in contents]
    return np.array(rows, dtype=np.float32).reshape(len(contents), FEATURES)


def _levels(content: Sound) -> np.ndarray:
    """float (feature,)."""
    mono, _ = compared(content.values.mean(axis=0, dtype=np.float64), content.rate)
    levels = 1 + np.log10(powers(mono) / _LOUDEST + _FLOOR) / 5  # from -1, silence, to 1
    parts = levels.reshape(PARTS, SLICES // PARTS, BANDS).mean(axis=1)
    return np.concatenate([parts.reshape(-1), levels.std(axis=0)])
