"""A tune as sound, added up from harmonics: something to hear it by, and no instrument.

Each note is a fundamental and its harmonics, the higher the weaker and the sooner gone, as of a string that was struck; it is
let go where it ends. Percussion is short noise, whatever drum it is.
"""

from __future__ import annotations

import io
import wave

import numpy as np

from aigc_models.modalities.events.events import PERCUSSION, TOP, Events
from aigc_models.modalities.events.playing import USUAL_TEMPO, Played, played

RATE = 24_000  # Hz, mono
TICKS = 480  # of a quarter note
LONGEST = 300.0  # seconds: what is longer is cut, and fades out
FADE = 1.0  # seconds
HARMONICS = (1.0, 0.5, 0.3, 0.2, 0.12, 0.08, 0.05, 0.03)  # the level of each, of the fundamental's
DECAY = 1.2  # a second, of the fundamental's logarithm; harmonic k fades k times as fast
RINGS = 5.0  # seconds after which a note is no longer heard, 52 dB down
ATTACK, RELEASE = 0.006, 0.06  # seconds in which a note begins, and dies away behind its end
HIT, HIT_DECAY, HIT_LEVEL = 0.15, 30.0, 0.4  # of percussion: seconds, fading a second, level
PEAK = 0.8  # of full scale, of the loudest moment
CONCERT_PITCH, CONCERT_HZ = 69, 440.0  # the A by which instruments are tuned


def written(content: Events) -> bytes:
    """A WAV file of 16 bits a sample."""
    steps = np.rint(sound(content) * 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, RATE, len(steps), "NONE", "not compressed"))
        file.writeframes(steps.tobytes())
    return buffer.getvalue()


def sound(content: Events) -> np.ndarray:
    """float32 (sample,) within `PEAK`, `RATE` samples a second, at most `LONGEST` seconds."""
    notes = played(content, TICKS)
    a_tick = 60.0 / (content.tempo or USUAL_TEMPO) / TICKS  # seconds
    end = max((note.end for note in notes), default=0) * a_tick + RELEASE
    mixed = np.zeros(round(min(end, LONGEST) * RATE), dtype=np.float32)
    for note in notes:
        first = round(note.start * a_tick * RATE)
        if first < len(mixed):
            heard = _hit(note) if note.voice == PERCUSSION else _tone(note, (note.end - note.start) * a_tick)
            heard = heard[: len(mixed) - first]
            mixed[first : first + len(heard)] += heard
    if end > LONGEST:
        mixed[-round(FADE * RATE) :] *= np.linspace(1, 0, round(FADE * RATE), dtype=np.float32)
    return mixed * np.float32(PEAK / max(1e-9, float(np.abs(mixed).max(initial=0.0))))


def hertz(pitch: float) -> float:
    """The fundamental of a MIDI pitch, in equal temperament."""
    return float(CONCERT_HZ * 2 ** ((pitch - CONCERT_PITCH) / 12))


def _tone(note: Played, seconds: float) -> np.ndarray:
    """float32 (sample,): the note and its dying away; nothing of what lies above half the rate."""
    frequency = hertz(note.pitch)
    levels = [level for number, level in enumerate(HARMONICS, start=1) if number * frequency < RATE / 2]
    time = np.arange(round(min(seconds + RELEASE, RINGS) * RATE)) / RATE
    # Harmonic k turns k times as fast and fades k times as fast: the k-th power of the fundamental as a complex number.
    fundamental = np.exp((2j * np.pi * frequency - DECAY) * time)
    total = np.zeros(len(time), dtype=np.complex128)
    for level in reversed(levels):
        total = (total + level) * fundamental
    envelope = np.minimum(_eased(time / ATTACK), _eased((time[-1] + 1 / RATE - time) / RELEASE))
    return np.asarray(note.velocity / TOP * total.imag * envelope, dtype=np.float32)


def _eased(share: np.ndarray) -> np.ndarray:
    """From 0 to 1 without a corner, which would be heard as a click; 1 beyond."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0, 1)))


def _hit(note: Played) -> np.ndarray:
    """float32 (sample,): noise that fades, the same for each drum at each time."""
    count = round(HIT * RATE)
    noise = np.random.default_rng(note.pitch).uniform(-1, 1, count)
    return np.asarray(HIT_LEVEL * note.velocity / TOP * noise * np.exp(-HIT_DECAY * np.arange(count) / RATE), dtype=np.float32)
