"""The pitch that is heard, by normalised autocorrelation (Boersma 1993) and its first high peak (McLeod and Wyvill 2005)."""

from __future__ import annotations

import re

import numpy as np

LOOKED_AT = 0.25  # seconds: the loudest stretch of a sound
FINER = 4  # lags between two samples, by band-limited interpolation; a parabola finds the peak between these
HIGH = 0.94  # a peak this high, of the highest, is the period: not its double, nor half of it (k of McLeod and Wyvill)
UNVOICED = 0.3  # autocorrelation under which there is no pitch

_NOTE = re.compile(r"([A-G])([#b\u266f\u266d]?)(-?\d)")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def midi_of(name: str) -> int | None:
    """The number of a note's name (A4 is 69), or None where it is none.

    >>> midi_of("A4"), midi_of("C#3"), midi_of("Bb2"), midi_of("cat")
    (69, 49, 46, None)
    """
    match = _NOTE.fullmatch(name)
    if not match:
        return None
    letter, sign, octave = match.groups()
    return 12 * (int(octave) + 1) + _STEPS[letter] + {"": 0, "#": 1, "\u266f": 1}.get(sign, -1)


def midi_heard(sounds: np.ndarray, rate: int, lowest: float, highest: float) -> np.ndarray:
    """Float (item,): the pitch of each of `sounds` (item, sample) as a MIDI number with fractions, NaN where there is none.

    It is looked for between `lowest` and `highest`, MIDI numbers too.
    """
    longest, shortest = rate / _hertz(lowest), rate / _hertz(highest)
    correlations = autocorrelations(loudest(sounds, max(round(LOOKED_AT * rate), round(4 * longest))))
    periods = np.array([period(row, shortest * FINER, longest * FINER) for row in correlations]) / FINER
    return np.asarray(69 + 12 * np.log2(rate / (440.0 * periods)))


def _hertz(midi: float) -> float:
    return float(440.0 * 2 ** ((midi - 69) / 12))


def loudest(sounds: np.ndarray, length: int) -> np.ndarray:
    """Float (item, at most `length`): the stretch of each sound that has the most energy."""
    length = min(length, sounds.shape[1])
    energy = np.pad(np.cumsum(sounds.astype(np.float64) ** 2, axis=1), ((0, 0), (1, 0)))
    start = (energy[:, length:] - energy[:, :-length]).argmax(axis=1)
    return np.take_along_axis(sounds, start[:, None] + np.arange(length), axis=1).astype(np.float64)


def autocorrelations(sounds: np.ndarray) -> np.ndarray:
    """Float (item, lag), `FINER` lags a sample, of sounds under a Hann window over that of the window (Boersma, eq. 9)."""
    length = sounds.shape[1]
    window = np.hanning(length + 2)[1:-1]
    size = 1 << (2 * length - 1).bit_length()
    power = np.abs(np.fft.rfft((sounds - sounds.mean(axis=1, keepdims=True)) * window, size)) ** 2
    window_power = np.abs(np.fft.rfft(window, size)) ** 2
    lags = np.fft.irfft(power, FINER * size)[:, : FINER * length // 2]
    window_lags = np.fft.irfft(window_power, FINER * size)[: FINER * length // 2]
    return np.asarray(lags / (lags[:, :1] + 1e-20) * (window_lags[0] / window_lags))


def period(lags: np.ndarray, shortest: float, longest: float) -> float:
    """The lag of the first peak that is nearly as high as the highest one, NaN where none is high."""
    inner = lags[1:-1]
    peaks = np.flatnonzero((inner > lags[:-2]) & (inner >= lags[2:])) + 1
    peaks = peaks[(peaks >= shortest) & (peaks <= longest)]
    if not len(peaks) or lags[peaks].max() < UNVOICED:
        return float("nan")
    at = int(peaks[lags[peaks] >= HIGH * lags[peaks].max()][0])
    before, here, after = lags[at - 1 : at + 2]
    return at + 0.5 * (before - after) / (before - 2 * here + after - 1e-20)
