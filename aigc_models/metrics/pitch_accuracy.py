"""Share of generated notes whose heard pitch lies within a quarter tone of the one asked for, beside that of real items."""

from __future__ import annotations

import numpy as np

from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._pitch import midi_heard, midi_of
from aigc_models.metrics._shares import shares

MODALITIES = frozenset({"audio"})
QUARTER_TONE = 0.5  # semitones
MARGIN = 13.0  # semitones beyond the labels that are listened to: an octave too high or low is heard as that


def applies(evidence: Evidence) -> bool:
    """Where every label is a note's name."""
    labels = evidence.shape.labels
    return bool(labels and evidence.samples) and all(midi_of(label) is not None for label in labels)


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate's samples, and for the test items under the name `real`; items without a label do not count."""
    pitches = np.array([midi_of(label) for label in evidence.shape.labels], dtype=np.float64)
    corpora = {**evidence.samples, "real": evidence.test}
    figures = {name: in_tune(corpus, pitches, evidence.shape.format.rate) for name, corpus in corpora.items()}
    fewest = min(map(len, figures.values()))
    return shares({name: figure[:fewest] for name, figure in figures.items()}, "higher")


def in_tune(corpus: Corpus, pitches: np.ndarray, rate: int) -> np.ndarray:
    """Float (item,), 1.0 where the heard pitch is that of the item's label; `pitches` (label,) are MIDI numbers."""
    rows = np.flatnonzero(np.asarray(corpus.conditions) < len(pitches))
    sounds = np.asarray(corpus.values[rows], dtype=np.float64).mean(axis=1)
    heard = midi_heard(sounds, rate, pitches.min() - MARGIN, pitches.max() + MARGIN)
    asked = pitches[np.asarray(corpus.conditions)[rows]]
    return (np.abs(np.nan_to_num(heard, nan=np.inf) - asked) < QUARTER_TONE).astype(np.float64)
