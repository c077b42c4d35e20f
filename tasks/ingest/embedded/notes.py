"""800 synthetic notes of a plucked string, made by this project (Karplus-Strong), 8 kHz, labelled with their pitch.

Karplus and Strong 1983; tuned by an allpass filter, with a pick position, brightness and dynamics as in
Jaffe and Smith 1983. Pitches are A2 to E4 in semitones, 40 notes each.
"""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Iterator

import numpy as np

from tasks.ingest.source import RawItem

MODALITY = "audio"
LIBRARIES = ("numpy", "scipy")
RATE = 8_000  # Hz
SAMPLES = 4_096  # 0.512 s
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
LOWEST, PITCHES, EACH = 45, 20, 40  # A2 (110 Hz) as a MIDI number, semitones, notes of each


def licence() -> str:
    return "synthesised by this project (Apache-2.0)"


def items() -> Iterator[RawItem]:
    """The same notes on every machine: each has a random state of its own, and 16 bits are kept."""
    for pitch in range(LOWEST, LOWEST + PITCHES):
        label = name_of(pitch)
        for take in range(EACH):
            name = f"{label.replace('#', 's')}-{take:02}.wav"
            yield RawItem(_wav(note(pitch, np.random.default_rng([pitch, take]))), name, f"notes/{name}", label)


def name_of(pitch: int) -> str:
    """A MIDI number as a note's name.

    >>> name_of(69), name_of(61)
    ('A4', 'C#4')
    """
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"


def frequency_of(pitch: int) -> float:
    """Equal temperament, A4 = 440 Hz."""
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def note(pitch: int, random: np.random.Generator) -> np.ndarray:
    """int16 (sample,): a pluck of random noise, brightness, place, decay and loudness."""
    frequency = frequency_of(pitch)
    brightness, place = random.uniform(0.1, 0.6), random.uniform(0.12, 0.45)
    seconds, loudness = random.uniform(0.5, 1.5), random.uniform(0.3, 0.9)
    pluck = _pluck(random.uniform(-1, 1, round(RATE / frequency)), brightness, place)
    sound = string(pluck, frequency, 10 ** (-3 / (seconds * frequency)))
    sound *= np.minimum(1, np.arange(SAMPLES)[::-1] / (0.01 * RATE))  # the last 10 ms fade out
    return np.rint(sound * (loudness * 32767 / np.abs(sound).max())).astype(np.int16)


def _pluck(noise: np.ndarray, brightness: float, place: float) -> np.ndarray:
    """One period of noise, smoothed, and as a string has it that is plucked at `place` of its length."""
    from scipy.signal import lfilter

    smooth = lfilter([brightness], [1, brightness - 1], np.tile(noise, 3))[-len(noise) :]
    picked = smooth - np.roll(smooth, max(1, round(place * len(smooth))))
    return np.asarray(picked - picked.mean())


def string(pluck: np.ndarray, frequency: float, gain: float) -> np.ndarray:
    """float (sample,): the loop of delay, average of two samples and allpass that sounds at `frequency` (Hz).

    The loop delays by a period: whole samples, half a one from the average, and the rest from the allpass
    (C + z^-1) / (1 + C z^-1), whose coefficient is chosen for its phase at `frequency`. `gain` is the
    loss of a round.
    """
    from scipy.signal import lfilter

    period, turn = RATE / frequency, 2 * math.pi * frequency / RATE
    whole = math.floor(period - 0.5 - 0.1)
    rest = period - 0.5 - whole
    allpass = math.sin(turn * (1 - rest) / 2) / math.sin(turn * (1 + rest) / 2)
    # y = x + loop * y, with loop = gain (1 + z^-1)/2 z^-whole (C + z^-1)/(1 + C z^-1), as one recursive filter
    loop = gain * np.convolve([0.5, 0.5], [allpass, 1.0])
    denominator = np.zeros(whole + 3)
    denominator[:2] = 1.0, allpass
    denominator[whole:] -= loop
    return np.asarray(lfilter([1.0, allpass], denominator, np.pad(pluck, (0, SAMPLES - len(pluck)))))


def _wav(steps: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, RATE, len(steps), "NONE", "not compressed"))
        file.writeframes(steps.astype("<i2").tobytes())
    return buffer.getvalue()
