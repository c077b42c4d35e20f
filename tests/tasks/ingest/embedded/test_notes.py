"""The embedded notes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from aigc_models.metrics._pitch import midi_heard, midi_of
from aigc_models.modalities import audio
from tasks.ingest.embedded import notes
from tasks.ingest.source import RawItem

FIRST = [-8464, -1741, 4419, 12071, 7932, 160]  # of the first note


@pytest.fixture(scope="module")
def items() -> list[RawItem]:
    return list(notes.items())


def test_notes_are_the_same_on_every_machine(items: list[RawItem]) -> None:
    assert len(items) == len({item.payload for item in items}) == 800
    assert set(Counter(item.label for item in items).values()) == {notes.EACH}
    again = notes.note(45, np.random.default_rng([45, 0]))
    assert (audio.read(items[0].payload, "").values[0] * 32768 == again).all()
    assert again[:6].tolist() == FIRST


def test_notes_say_that_they_are_synthetic() -> None:
    assert "synthetic" in str(notes.__doc__).splitlines()[0]
    assert "synthesised by this project" in notes.licence()


def test_each_note_is_in_tune(items: list[RawItem]) -> None:
    sounds = np.stack([audio.read(item.payload, item.name).values[0] for item in items])
    asked = np.array([midi_of(str(item.label)) for item in items])
    assert np.abs(midi_heard(sounds, notes.RATE, 32, 77) - asked).max() < 0.05


def test_notes_of_a_pitch_differ_in_loudness_brightness_and_decay(items: list[RawItem]) -> None:
    same = [audio.read(item.payload, "").values[0] for item in items if item.label == "A3"]
    peaks = [float(np.abs(sound).max()) for sound in same]
    decays = [float((sound[-2000:] ** 2).sum() / (sound[:2000] ** 2).sum()) for sound in same]
    bright = [float((np.diff(sound) ** 2).sum() / (sound**2).sum()) for sound in same]
    assert all(max(figures) > 2 * min(figures) for figures in (peaks, decays, bright))
