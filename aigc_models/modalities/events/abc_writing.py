"""A tune in ABC notation (the standard 2.1), such as `abc.read` and other programs read.

Lengths are written as notes are engraved: a power of two of a whole note or a dotted one, several tied ones where it takes
several, and triplets for what lies between. An accidental is written where a reader would else take another pitch, whether
accidentals hold in their octave alone for him or in all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from typing import NamedTuple

from aigc_models.modalities.events import abc
from aigc_models.modalities.events.abc_key import SHARPS, key
from aigc_models.modalities.events.abc_voice import BASE
from aigc_models.modalities.events.events import PERCUSSION, Events
from aigc_models.modalities.events.playing import Played, played

TICKS = 24  # of a quarter note: all grids divide it
UNIT = TICKS // 2  # ticks of a note that states no length: an eighth
LINE = 4  # bars of a line of text
MOST_BARS = 20_000
MOST_IN_TUPLET = 99
BASS = 57.0  # a voice whose mean pitch is lower has the bass clef
KEYS = dict(
    zip(range(-6, 7), ["Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#"], strict=True)
)  # by their fifths above C
SIGNS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}


class Piece(NamedTuple):
    """What is written at once, in ticks: the pitches that sound, each with whether it goes on behind; none is a rest."""

    start: int
    ticks: int
    pitches: tuple[tuple[int, bool], ...]


def written(content: Events) -> bytes | None:
    """The tune on a grid of 24 steps of a quarter note, without percussion; None where there is nothing to write, or more
    than `abc.read` takes.

    Without a meter a bar line stands after every four quarter notes.
    """
    everything = played(content, TICKS)
    notes = [note for note in everything if note.voice != PERCUSSION]
    voices = [[note for note in notes if note.voice == voice] for voice in sorted({note.voice for note in notes})]
    bar = _bar(content)
    if not 0 < len(voices) <= abc.MOST_VOICES or max(note.end for note in notes) > MOST_BARS * bar:
        return None
    fifths = _fifths(notes)
    lines = ["X:1", "T:Tune", "M:none" if content.meter is None else "M:{}/{}".format(*content.meter), "L:1/8"]
    lines += [] if content.tempo is None else [f"Q:1/4={content.tempo:.7g}"]
    if silent := len(everything) - len(notes):
        lines.append(f"% percussion is left out: {silent:,} notes")
    lines += [f"V:{number} clef={_clef(voice)}" for number, voice in enumerate(voices, start=1)]
    lines.append(f"K:{KEYS[fifths]}")
    for number, voice in enumerate(voices, start=1):
        lines += [f"V:{number}", *_Staff(fifths).lines(_pieces(voice, bar), bar)]
    payload = ("\n".join(lines) + "\n").encode()
    return payload if len(payload) <= abc.MOST_BYTES else None


def _bar(content: Events) -> int:
    """Ticks from one bar line to the next; several bars where one of them (of 64ths) ends between two ticks."""
    beats, unit = content.meter or (4, 4)
    return Fraction(4 * TICKS * beats, unit).numerator


def _clef(voice: Sequence[Played]) -> str:
    return "bass" if sum(note.pitch for note in voice) < BASS * len(voice) else "treble"


def _fifths(notes: Sequence[Played]) -> int:
    """The major key that has most of the notes, the one with the fewest accidentals of several."""
    counts = Counter(note.pitch % 12 for note in notes)
    inside = {fifths: sum(counts[7 * place % 12] for place in range(fifths - 1, fifths + 6)) for fifths in KEYS}
    return min(KEYS, key=lambda fifths: (-inside[fifths], abs(fifths), fifths))


def _pieces(notes: Sequence[Played], bar: int) -> Iterator[Piece]:
    """One voice, cut where a note begins or ends, at bar lines, and where a length takes several notes."""
    last = max(note.end for note in notes)
    cuts = {0, *(note.start for note in notes), *(note.end for note in notes), *range(0, last, bar)}
    sounding: list[Played] = []
    coming = iter(notes)
    following = next(coming, None)
    for start, end in pairwise(sorted(cuts)):
        sounding = [note for note in sounding if note.end > start]
        while following is not None and following.start == start:
            sounding.append(following)
            following = next(coming, None)
        at = start
        for ticks in _engraved(end - start):
            yield Piece(at, ticks, tuple(sorted((note.pitch, note.end > at + ticks) for note in sounding)))
            at += ticks


def _engraved(ticks: int) -> Iterator[int]:
    """Lengths that are one note each, the longest first; behind whole quarter notes those that are notes of a triplet."""
    triplet = ticks % TICKS if ticks % 3 else 0
    left = (ticks - triplet) // 3
    while left:
        plain = 1 << left.bit_length() - 1
        dotted = plain * 3 // 2 if plain > 1 else plain
        taken = dotted if dotted <= left else plain
        yield taken * 3
        left -= taken
    while triplet:
        taken = 1 << triplet.bit_length() - 1
        yield taken
        triplet -= taken


class _Staff:
    """Writes one voice, and knows of it what a reader does."""

    def __init__(self, fifths: int) -> None:
        self.lowest = fifths - 3  # of the twelve on the line of fifths that are written: in C from E flat to G sharp
        self.signature, _ = key(KEYS[fifths])
        self.letters: dict[str, int] = {}  # accidentals up to the next bar line, for those who let them hold in all octaves
        self.places: dict[str, int] = {}  # and in one alone
        self.ties: dict[str, int] = {}  # the accidental of a note that goes on

    def lines(self, pieces: Iterator[Piece], bar: int) -> Iterator[str]:
        bars = [self._bar(list(group)) for _, group in groupby(pieces, lambda piece: piece.start // bar)]
        for at in range(0, len(bars), LINE):
            yield " | ".join(bars[at : at + LINE]) + " |"

    def _bar(self, pieces: Sequence[Piece]) -> str:
        self.letters.clear()
        self.places.clear()
        words = []
        for triplet, group in groupby(pieces, lambda piece: piece.ticks % 3 != 0):
            run = list(group)
            for at, piece in enumerate(run):
                opens = triplet and at % MOST_IN_TUPLET == 0
                count = min(MOST_IN_TUPLET, len(run) - at)
                opening = ("(3" if count == 3 else f"(3:2:{count}") if opens else ""
                words.append(f"{'' if piece.start % TICKS else ' '}{opening}{self._word(piece)}")
        return "".join(words).strip()

    def _word(self, piece: Piece) -> str:
        """A note, a chord or a rest with its length in eighths, which in a triplet is that of three in the time of two."""
        names = [self._name(pitch, tied) for pitch, tied in piece.pitches]
        length = Fraction(piece.ticks, UNIT) * (Fraction(3, 2) if piece.ticks % 3 else 1)
        over = "" if length.numerator == 1 else str(length.numerator)
        factor = over if length.denominator == 1 else f"{over}/{length.denominator}"
        if len(names) == 1:
            return names[0].removesuffix("-") + factor + ("-" if names[0].endswith("-") else "")
        return (f"[{''.join(names)}]" if names else "z") + factor

    def _name(self, pitch: int, tied: bool) -> str:
        place, letter, sign = self._spelt(pitch)
        goes_on, usual = self.ties.pop(place, None), self.signature.get(letter, 0)
        expected = {self.letters.get(letter, usual), self.places.get(place, usual)} if goes_on is None else {goes_on}
        clear = expected == {sign}
        if not clear:
            self.letters[letter] = self.places[place] = sign
        if tied:
            self.ties[place] = sign
        return ("" if clear else SIGNS[sign]) + place + ("-" if tied else "")

    def _spelt(self, pitch: int) -> tuple[str, str, int]:
        """How a pitch is written without its accidental, its letter in capitals, and the accidental in semitones."""
        fifths = self.lowest + (7 * pitch - self.lowest) % 12  # above C
        sign, at = divmod(fifths + 1, len(SHARPS))
        letter = SHARPS[at]
        octave = (pitch - sign - BASE[letter]) // 12
        return (letter.lower() + "'" * (octave - 1) if octave > 0 else letter + "," * -octave), letter, sign
