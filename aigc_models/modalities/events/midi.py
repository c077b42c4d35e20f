"""Standard MIDI files as notes, through mido."""

from __future__ import annotations

import io
import re
from collections import deque
from typing import TYPE_CHECKING

from aigc_models.errors import Unreadable
from aigc_models.modalities.events.events import MOST_EVENTS, PERCUSSION, Events, notes

if TYPE_CHECKING:
    from mido import MidiFile, MidiTrack

MAGIC = b"MThd"
MOST_BYTES = 1_000_000  # of a file: plain Python reads about 300 kB a second
LONGEST = 1_000_000  # quarter notes
DRUMS = 9  # the channel of percussion, from 0
# mido reads a number of any size, in a time that grows with its square; in the standard it has four bytes.
_ENDLESS = re.compile(rb"[\x80-\xff]{4000}")
Key = tuple[int, int]  # channel, pitch


def read(payload: bytes) -> Events:
    """The notes of all tracks, a voice for each track and channel; tempo and controllers are left out.

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
    return notes(times, pitches, durations, numbers, velocities)


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
