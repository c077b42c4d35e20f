"""Standard MIDI files, made here, whole and damaged."""

from __future__ import annotations

import io

import mido
import pytest

from aigc_models.errors import Unreadable
from aigc_models.modalities.events.events import PERCUSSION
from aigc_models.modalities.events.midi import read

BEAT = 96


def midi(*tracks: list[mido.Message | mido.MetaMessage], kind: int = 1) -> bytes:
    file = mido.MidiFile(type=kind, ticks_per_beat=BEAT)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(messages))
    held = io.BytesIO()
    file.save(file=held)
    return held.getvalue()


def on(note: int, after: int = 0, velocity: int = 80, channel: int = 0) -> mido.Message:
    return mido.Message("note_on", note=note, velocity=velocity, time=after, channel=channel)


def off(note: int, after: int = BEAT, channel: int = 0) -> mido.Message:
    return mido.Message("note_off", note=note, time=after, channel=channel)


def test_notes_of_tracks_and_channels_are_voices_in_quarter_notes():
    tempo = mido.MetaMessage("set_tempo", tempo=250_000)
    content = read(midi([tempo, on(60), off(60), on(62), off(62, BEAT // 2)], [on(48, channel=1), off(48, 2 * BEAT, 1)]))
    rows = zip(*(column.tolist() for column in content.columns().values()), strict=True)
    assert list(rows) == [(0, 60, 1, 0, 80), (0, 48, 2, 1, 80), (1, 62, 0.5, 0, 80)]


def test_percussion_has_a_voice_of_its_own():
    content = read(midi([on(60), on(36, channel=9), off(60), off(36, 0, 9)]))
    assert sorted(content.voices.tolist()) == [PERCUSSION, 0]


def test_a_note_on_without_velocity_ends_a_note_and_one_that_is_not_ended_lasts_to_the_end():
    content = read(midi([on(60), on(60, BEAT, velocity=0), on(64), off(67, 3 * BEAT)]))
    assert content.values.tolist() == [60, 64]
    assert content.durations.tolist() == [1, 3]


def test_the_same_pitch_twice_at_once_ends_in_order():
    content = read(midi([on(60), on(60, BEAT), off(60, BEAT), off(60, BEAT)]))
    assert list(zip(content.times.tolist(), content.durations.tolist(), strict=True)) == [(0, 2), (1, 2)]


def test_running_status_is_read():
    events = bytes([0, 0x90, 60, 80, BEAT, 60, 0, 0, 62, 80, BEAT, 62, 0, 0, 0xFF, 0x2F, 0])
    head = b"MThd" + (6).to_bytes(4, "big") + bytes([0, 0, 0, 1, 0, BEAT])
    content = read(head + b"MTrk" + len(events).to_bytes(4, "big") + events)
    assert content.values.tolist() == [60, 62]


WHOLE = midi([on(60), off(60), on(62), off(62)])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (WHOLE[:-6], "cut off|damaged MIDI file"),
        (WHOLE[:12], "cut off|damaged MIDI file"),
        (midi([]), "without notes"),
        (midi([on(60), off(60)], kind=2), "patterns that are not played together"),
        (WHOLE[:12] + b"\xe7\x28" + WHOLE[14:], "frames of film"),
        (WHOLE + bytes(1_000_001), "the limit of a MIDI file is 1 MB"),
        (WHOLE[:22] + b"\xff" * 5000, "a number without an end"),
        (midi([on(60)] + [off(61, 2**27)] * 10), "lasts longer than 1,000,000 quarter notes"),
    ],
)
def test_what_is_damaged_or_lies_is_told_why(payload, reason):
    with pytest.raises(Unreadable, match=reason):
        read(payload)


@pytest.mark.parametrize("signature", [b"\x20\x05", b"\x08\x00", b"\x00\x02"])
def test_a_key_that_there_is_not_is_told(signature):
    whole = midi([mido.MetaMessage("key_signature", key="C"), on(60), off(60)])
    with pytest.raises(Unreadable, match="damaged MIDI file: Could not decode key"):
        read(whole.replace(b"\xff\x59\x02\0\0", b"\xff\x59\x02" + signature))


def test_a_note_without_length_is_kept():
    assert read(midi([on(60), off(60, 0), on(62), off(62)])).durations.tolist() == [0, 1]


def test_every_cut_and_every_flipped_byte_ends_in_notes_or_a_reason():
    outcomes = []
    for at in range(len(WHOLE)):
        for payload in (WHOLE[:at], WHOLE[:at] + bytes([WHOLE[at] ^ 0xFF]) + WHOLE[at + 1 :]):
            try:
                outcomes.append("notes" if len(read(payload)) else "nothing")
            except Unreadable as error:
                outcomes.append(str(error))
    assert "nothing" not in outcomes
    assert all("0x" not in outcome for outcome in outcomes)


def test_the_first_tempo_and_meter_of_all_tracks_are_kept():
    def meta(kind: str, **fields: int) -> mido.MetaMessage:
        return mido.MetaMessage(kind, **fields)

    late = [on(60), off(60), meta("set_tempo", tempo=500_000), meta("time_signature", numerator=4, denominator=4)]
    early = [on(48), meta("set_tempo", tempo=666_667), meta("time_signature", numerator=6, denominator=8), off(48)]
    content = read(midi(late, early))
    assert (content.tempo, content.meter) == (90, (6, 8))
    plain = read(midi([meta("set_tempo", tempo=0), on(60), off(60)]))  # no time at all is no tempo
    assert (plain.tempo, plain.meter) == (None, None)
    strange = read(midi([meta("time_signature", numerator=200, denominator=2**20), on(60), off(60)]))
    assert strange.meter is None
