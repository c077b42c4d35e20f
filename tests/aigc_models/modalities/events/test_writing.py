"""Tunes as MIDI, ABC and sound: what is written is the tune, by this project's own readers and by its spectrum."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigc_models.modalities import events
from aigc_models.modalities.events import abc, abc_writing, midi, sounding
from aigc_models.modalities.events.events import PERCUSSION, Events, history, notes
from aigc_models.modalities.events.playing import played

METERS = [None, (4, 4), (3, 4), (6, 8), (2, 2), (5, 8), (3, 16), (7, 64), (1, 128)]
Row = tuple[int, int, int, int]  # start and length in steps, pitch, voice


def tune_of(rows: list[Row], grid: int, **stated: object) -> Events:
    starts, lengths, pitches, voices = (np.array(column) for column in zip(*rows, strict=True))
    return notes(starts / grid, pitches, lengths / grid, voices, **stated).ordered()


def rows_of(content: Events, left_out: int | None = None) -> list[list[tuple[float, float, int]]]:
    """Start, length and pitch of each note as played, voices apart and in the order of what they play."""
    parts: dict[int, list[tuple[float, float, int]]] = {}
    for note in played(content, 480):
        if note.voice != left_out:
            parts.setdefault(note.voice, []).append((note.start / 480, (note.end - note.start) / 480, note.pitch))
    return sorted(parts.values())


tunes = st.builds(
    tune_of,
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 40), st.integers(0, 127), st.integers(PERCUSSION, 4)),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from(events.GRIDS),
    tempo=st.none() | st.sampled_from([5.0, 84.0, 120.5, 999.999, 1000.0]),
    meter=st.sampled_from(METERS),
)
# few pitches close together: ties, chords with two notes on one line, and accidentals that hold or do not
crowded = st.builds(
    tune_of,
    st.lists(st.tuples(st.integers(0, 24), st.integers(1, 12), st.integers(59, 67), st.just(0)), min_size=1, max_size=40),
    st.sampled_from(events.GRIDS),
    meter=st.sampled_from(METERS),
)


@settings(max_examples=200, deadline=None)
@given(tunes | crowded)
def test_abc_says_the_same_notes(content):
    payload = abc_writing.written(content)
    if all(voice == PERCUSSION for voice in content.voices.tolist()):
        assert payload is None
        return
    back = abc.read(payload, "a.abc")
    assert rows_of(back) == rows_of(content, left_out=PERCUSSION)
    assert (back.tempo, back.meter) == (content.tempo, content.meter)
    assert (b"percussion is left out" in payload) == (PERCUSSION in content.voices.tolist())


@settings(max_examples=200, deadline=None)
@given(tunes | crowded)
def test_midi_says_the_same_notes(content):
    back = midi.read(midi.written(content))
    assert rows_of(back) == rows_of(content)
    assert (PERCUSSION in back.voices) == (PERCUSSION in content.voices)
    assert back.meter == content.meter
    assert back.tempo == (None if content.tempo is None else pytest.approx(content.tempo, rel=1e-5))


def test_columns_that_are_on_the_grid_come_back_exactly():
    content = tune_of([(0, 3, 60, 0), (3, 1, 62, 0), (0, 4, 48, 1)], 3, tempo=90.0, meter=(4, 4))
    for back in (abc.read(abc_writing.written(content), "a.abc"), midi.read(midi.written(content))):
        assert (back.tempo, back.meter) == (90.0, (4, 4))
        for name in ("times", "values", "durations", "voices"):
            assert np.array_equal(getattr(back, name), getattr(content, name)), name


def test_abc_is_written_as_music_is():
    rows = [(0, 4, 66, 0), (4, 2, 67, 0), (6, 6, 69, 0), (12, 1, 65, 0), (13, 1, 66, 0), (14, 8, 74, 0), (0, 12, 43, 1)]
    text = abc_writing.written(tune_of(rows, 4, tempo=100.0, meter=(3, 4))).decode()
    assert text.splitlines()[:8] == ["X:1", "T:Tune", "M:3/4", "L:1/8", "Q:1/4=100", "V:1 clef=treble", "V:2 clef=bass", "K:G"]
    assert text.splitlines()[8:] == ["V:1", "F2 GA3 | =F/2^F/2d4 |", "V:2", "G,,6 |"]
    chord = abc_writing.written(tune_of([(0, 5, 60, 0), (0, 3, 64, 0), (5, 1, 72, 0)], 4)).decode()
    assert chord.splitlines()[-1] == "[C-E]3/2Cc/2 |"
    thirds = abc_writing.written(tune_of([(0, 1, 60, 0), (1, 1, 62, 0), (2, 1, 64, 0), (3, 3, 65, 0)], 3)).decode()
    assert thirds.splitlines()[-1] == "(3CDE F2 |"


def test_a_pitch_that_is_struck_again_ends_and_velocities_are_heard():
    content = notes([0, 1, 1], [60, 60, 60], [4, 1, 2], [0, 0, 0], [100, float("nan"), 20])
    assert [(note.start, note.end, note.velocity) for note in played(content, 1)] == [(0, 1, 100), (1, 3, 20)]
    assert midi.read(midi.written(content)).weights.tolist() == [100, 20]


def test_what_cannot_be_written_is_left_out():
    assert events.renderings(history([1.0], ["a"])) == {}
    assert events.renderings(notes([], [], [], [])) == {}
    drums = notes([0, 1], [36, 38], [1, 1], [PERCUSSION] * 2)
    assert set(events.renderings(drums)) == {".mid", ".wav"}
    assert set(events.renderings(tune_of([(0, 1, 60, 0), (400_000, 1, 60, 0)], 1), (".abc", ".mid"))) == {".mid"}
    both = tune_of([(0, 1, 60, 0)], 1)
    assert set(events.renderings(both)) == {".mid", ".abc", ".wav"}
    assert events.renderings(both) == events.renderings(both)


@pytest.mark.parametrize("pitch", [28, 45, 60, 69, 81, 100, 120])
def test_the_loudest_frequency_is_the_note_s(pitch):
    heard = sounding.sound(notes([0], [pitch], [2], [0], tempo=60.0))
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard)), 4 * len(heard)))
    found = spectrum.argmax() * sounding.RATE / (4 * len(heard))
    assert found == pytest.approx(440 * 2 ** ((pitch - 69) / 12), rel=0.005)


def test_a_sound_lasts_as_the_tempo_says_and_never_clips():
    thick = notes(np.zeros(60), np.arange(36, 96), np.full(60, 3.0), np.zeros(60), np.full(60, 127), tempo=90.0)
    with wave.open(io.BytesIO(sounding.written(thick))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        assert file.getnframes() / 24_000 == pytest.approx(2.0 + sounding.RELEASE, abs=1e-3)
        values = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert 0.75 * 32767 < np.abs(values.astype(int)).max() < 0.85 * 32767
    assert abs(int(values[0])) < 300 > abs(int(values[-1]))  # no click at either end


def test_a_long_sound_is_cut_and_fades_and_what_no_rate_holds_is_silent():
    long = sounding.sound(notes([0, 290, 400], [60, 60, 60], [1, 40, 1], [0, 0, 0], tempo=60.0))
    assert len(long) == sounding.LONGEST * sounding.RATE
    assert np.abs(long[-100:]).max() < 0.01
    assert np.abs(sounding.sound(notes([0], [127], [1], [0]))).max() == 0
    assert np.abs(sounding.sound(notes([0], [38], [1], [PERCUSSION]))).max() == pytest.approx(sounding.PEAK)
