"""Standard MIDI files as notes, and notes as such files, through mido."""

from __future__ import annotations

import io
import re
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aigc_models.errors import Unreadable
from aigc_models.modalities.events.events import MOST_EVENTS, PERCUSSION, Events, Meter, meter_of, notes, tempo_of
from aigc_models.modalities.events.playing import Played, played

if TYPE_CHECKING:
    from mido import MetaMessage, MidiFile, MidiTrack

MAGIC = b"MThd"
MOST_BYTES = 1_000_000  # of a file: plain Python reads about 300 kB a second
LONGEST = 1_000_000  # quarter notes
DRUMS = 9  # the channel of percussion, from 0
OTHERS = tuple(channel for channel in range(16) if channel != DRUMS)
TICKS = 480  # of a quarter note in files that are written: all grids divide it
# mido reads a number of any size, in a time that grows with its square; in the standard it has four bytes.
_ENDLESS = re.compile(rb"[\x80-\xff]{4000}")
Key = tuple[int, int]  # channel, pitch


def read(payload: bytes) -> Events:
    """The notes of all tracks, a voice for each track and channel, and the first tempo and meter; controllers are left out.

    Raises `Unreadable` where the file is damaged or cut off, counts no quarter notes, or is larger than what one tune has.
    """
    if len(payload) > MOST_BYTES:
        raise Unreadable(f"has {len(payload) / 1e6:,.1f} MB; the limit of a MIDI file is {MOST_BYTES / 1e6:g} MB: cut it")
    file = _parsed(payload)
    if file.ticks_per_beat <= 0:
        raise Unreadable("counts time in frames of film (SMPTE), not in beats; save it with ticks per quarter note")
    if file.type == 2:
        raise Unreadable("holds patterns that are not played together (MIDI type 2); save each as a file of its own")
    rows = [note for track, messages in enumerate(file.tracks) for note in _notes(messages, track, file.ticks_per_beat)]
    if not rows:
        raise Unreadable("is a MIDI file without notes")
    if len(rows) > MOST_EVENTS:
        raise Unreadable(f"holds {len(rows):,} notes; the limit is {MOST_EVENTS:,}")
    rows.sort()
    voices: dict[tuple[int, int], int] = {}
    numbers = [PERCUSSION if part[1] == DRUMS else voices.setdefault(part, len(voices)) for _, part, _, _, _ in rows]
    times, _, pitches, durations, velocities = zip(*rows, strict=True)
    return notes(times, pitches, durations, numbers, velocities, *_stated(file))


def _stated(file: MidiFile) -> tuple[float | None, Meter | None]:
    """The first tempo (a file states microseconds of a quarter note) and the first meter of all tracks."""
    first: dict[str, tuple[int, MetaMessage]] = {}
    for messages in file.tracks:
        tick = 0
        for message in messages:
            tick += message.time
            if message.type in ("set_tempo", "time_signature") and tick < first.get(message.type, (tick + 1,))[0]:
                first[message.type] = (tick, message)
    tempo, meter = (first[kind][1] if kind in first else None for kind in ("set_tempo", "time_signature"))
    return (
        tempo_of(60e6 / tempo.tempo) if tempo is not None and tempo.tempo else None,
        meter_of(meter.numerator, meter.denominator) if meter is not None else None,
    )


def _parsed(payload: bytes) -> MidiFile:
    from mido import KeySignatureError, MidiFile

    if _ENDLESS.search(payload):
        raise Unreadable("is a damaged MIDI file: it holds a number without an end")
    try:
        return MidiFile(file=io.BytesIO(payload), clip=True)
    except EOFError as error:
        raise Unreadable("is cut off: a MIDI file that ends before its last track does") from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError, KeySignatureError) as error:
        raise Unreadable(f"is a damaged MIDI file: {error or type(error).__name__}") from error


def _notes(messages: MidiTrack, track: int, beat: int) -> list[tuple[float, tuple[int, int], int, float, int]]:
    """Start, (track, channel), pitch, duration and velocity of each; one that is not ended lasts to the end of its track."""
    open_: dict[Key, deque[tuple[int, int]]] = {}
    rows = []
    tick = 0

    def close(key: Key) -> None:
        start, velocity = open_[key].popleft()
        rows.append((start / beat, (track, key[0]), key[1], (tick - start) / beat, velocity))

    for message in messages:
        tick += message.time
        if tick > LONGEST * beat:
            raise Unreadable(f"lasts longer than {LONGEST:,} quarter notes: a damaged MIDI file, or one with a wrong time")
        if message.type == "note_on" and message.velocity > 0:
            open_.setdefault((message.channel, message.note), deque()).append((tick, message.velocity))
        elif message.type in ("note_on", "note_off") and open_.get((message.channel, message.note)):
            close((message.channel, message.note))
    for key, starts in open_.items():
        for _ in list(starts):
            close(key)
    return rows


def written(content: Events) -> bytes:
    """A file of type 1: tempo and meter in the first track, then a track for each voice, each on a channel of its own as far
    as there are some; `read` gives the same notes, voices numbered anew."""
    from mido import MetaMessage, MidiFile, MidiTrack

    notes = played(content, TICKS)
    voices = sorted({note.voice for note in notes} - {PERCUSSION})
    channels = {voice: OTHERS[at % len(OTHERS)] for at, voice in enumerate(voices)}
    head = MidiTrack()
    if content.tempo is not None:
        head.append(MetaMessage("set_tempo", tempo=round(60e6 / content.tempo)))
    if content.meter is not None and content.meter[1].bit_count() == 1:  # MIDI states the part of a note as a power of two
        head.append(MetaMessage("time_signature", numerator=content.meter[0], denominator=content.meter[1]))
    file = MidiFile(type=1, ticks_per_beat=TICKS)
    file.tracks.append(head)
    for voice in sorted({note.voice for note in notes}):
        file.tracks.append(_track([note for note in notes if note.voice == voice], channels.get(voice, DRUMS)))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _track(notes: Sequence[Played], channel: int) -> MidiTrack:
    from mido import Message, MidiTrack

    # At one time notes end before others begin, so that a pitch that is struck again is not cut off at once.
    turns = [(note.end, 0, note.pitch, 0) for note in notes] + [(note.start, 1, note.pitch, note.velocity) for note in notes]
    track, now = MidiTrack(), 0
    for at, begins, pitch, velocity in sorted(turns):
        kind = "note_on" if begins else "note_off"
        track.append(Message(kind, channel=channel, note=pitch, velocity=velocity, time=at - now))
        now = at
    return track
