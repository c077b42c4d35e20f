"""The share of notes in tune: heard pitches against known ones, and the metric against what was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import _pitch, pitch_accuracy
from aigc_models.modalities import audio

LABELS = ("A3", "Bb3", "C#4", "E4")


def wave(midi: float, kind: str, rate: int = 8_000, samples: int = 4096) -> np.ndarray:
    """A decaying sine, sawtooth, or the third to the sixth partial alone."""
    time, hertz = np.arange(samples) / rate, 440 * 2 ** ((midi - 69) / 12)
    first, last = {"sine": (1, 1), "sawtooth": (1, 99), "upper": (3, 6)}[kind]
    partials = [k for k in range(first, last + 1) if k * hertz < 0.49 * rate]
    return np.exp(-5 * time) * sum(np.sin(2 * np.pi * hertz * k * time + k) / k for k in partials)


@pytest.mark.parametrize("kind", ["sine", "sawtooth", "upper"])
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_pitches_of_five_octaves_are_heard_to_a_few_cents(kind: str, rate: int) -> None:
    asked = np.arange(33, 83, 2)
    sounds = np.stack([wave(midi, kind, rate, rate // 2) for midi in asked])
    assert np.abs(_pitch.midi_heard(sounds, rate, 20, 97) - asked).max() < 0.05


def test_a_quarter_tone_is_told() -> None:
    sounds = np.stack([wave(60 + cents / 100, "sawtooth") for cents in (-55, -45, 45, 55)])
    assert (np.abs(_pitch.midi_heard(sounds, 8000, 47, 73) - 60) < 0.5).tolist() == [False, True, True, False]


def test_noise_is_borne_and_alone_has_no_pitch() -> None:
    random = np.random.default_rng(0)
    sounds = np.stack([wave(midi, "sawtooth") for midi in range(45, 70)])
    noisy = sounds + random.normal(size=sounds.shape) * 0.3 * sounds.std(axis=1, keepdims=True)
    assert np.abs(_pitch.midi_heard(noisy, 8000, 32, 82) - np.arange(45, 70)).max() < 0.2
    assert np.isnan(_pitch.midi_heard(random.normal(size=(20, 4096)), 8000, 32, 82)).mean() > 0.9
    assert np.isnan(_pitch.midi_heard(np.zeros((1, 4096)), 8000, 32, 82)).all()
    assert np.isnan(_pitch.midi_heard(random.normal(size=(3, 8)), 8000, 32, 82)).all()


@pytest.mark.parametrize(
    ("name", "midi"), [("A4", 69), ("C#3", 49), ("Bb2", 46), ("C-1", 0), ("B♭2", 46), ("a4", None), ("4", None)]
)
def test_names_of_notes(name: str, midi: int | None) -> None:
    assert _pitch.midi_of(name) == midi


def corpus(conditions: list[int], off: int = 0) -> Corpus:
    sounds = [wave(float(_pitch.midi_of(LABELS[condition % 4]) or 0) + off, "sawtooth") for condition in conditions]
    form = audio.Format(rate=8000, samples=4096, channels=1)
    values = audio.encode([audio.Sound(0.2 * sound[None].astype(np.float32), 8000) for sound in sounds], form)
    return Corpus("audio", values, np.array(conditions))


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    asked = [0, 1, 2, 3] * 10
    samples = {"good": corpus(asked), "octave": corpus(asked, 12), "half": corpus(asked)}
    wrong = corpus(asked[20:], 1)
    samples["half"] = Corpus("audio", np.concatenate([samples["half"].values[:20], wrong.values]), np.array(asked))
    shape = Shape("audio", LABELS, audio.Format(rate=8000, samples=4096, channels=1))
    test = corpus(asked)
    return Evidence(test, test, test, shape, {}, samples)


def test_the_pitch_asked_for_is_the_one_that_counts(evidence: Evidence) -> None:
    assert pitch_accuracy.applies(evidence)
    accuracies = pitch_accuracy.measure(evidence)
    assert {name: one.value for name, one in accuracies.items()} == {
        "good": 1.0,
        "octave": 0.0,
        "half": 0.5,
        "real": 1.0,
    }
    assert accuracies["half"].low < 0.45 < 0.55 < accuracies["half"].high
    assert accuracies["good"].versus["half"].low > 0.3
    assert accuracies["good"].better == "higher"


def test_other_labels_and_unlabelled_items_are_left_out(evidence: Evidence) -> None:
    assert not pitch_accuracy.applies(replace(evidence, shape=replace(evidence.shape, labels=("A4", "cat"))))
    assert not pitch_accuracy.applies(replace(evidence, shape=replace(evidence.shape, labels=())))
    assert not pitch_accuracy.applies(replace(evidence, samples={}))
    some = Corpus("audio", evidence.test.values, np.where(np.arange(40) < 5, 4, evidence.test.conditions))
    assert pitch_accuracy.in_tune(some, np.array([57.0, 58, 61, 64]), 8000).shape == (35,)
