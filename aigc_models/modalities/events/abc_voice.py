"""The music of ABC notation: notes, chords, rests, tuplets, broken rhythm and ties of one voice, line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction

from aigc_models.errors import Unreadable
from aigc_models.modalities.events.abc_key import ACCIDENTALS

MOST = 128  # the largest denominator of a length: all that are added up have a small common one
BASE = {"C": 60, "D": 62, "E": 64, "F": 65, "G": 67, "A": 69, "B": 71}
SHORT = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # notes in a tuplet: in the time of how many; else 2, in compound time 3
_LENGTH = r"\d{0,4}(?:/\d{1,3}|/{1,7})?"
_PITCH = rf"(?P<sign>\^\^|\^|__|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)(?P<length>{_LENGTH})(?P<tie>-?)"
_NOTE = re.compile(_PITCH)
_MARKS = r".~H-Wh-w"  # decorations of one letter; U: may give each a meaning, none of which is a note
_WORDS = r"!(?:[^!|\s]*|[^!|]{0,40}(?:\bal\b|fine|segno|coda|D\.|C\.)[^!|]{0,40})!"  # one with blanks is told by its words
_CUT = re.compile(rf"\s*(?P<late>(?=[\d/]){_LENGTH})")  # a length at the beginning of a line
_TOKEN = re.compile(
    r"(?P<blank>[\s`\\$}]+|\"[^\"]*\"|\{[^}]*\}|y\d{0,4})"
    r"|(?P<bar>(?:\[\||:*\.?\|)[|\]:\[]*(?<!\[)|:+\]?|\](?!\[))(?:\s*\[?\d[\d,-]*)?"
    r"|(?P<ending>\[(?:\d[\d,-]*|(?=\s{0,9}(?:$|\"[^\"]{0,40}\"(?![^\]|\[]{0,80}\])))))"
    r"|\[(?P<field>[A-Za-z]):(?P<value>[^\]]*)\]"
    rf"|\[(?P<chord>[^\[\]|]*)\](?P<times>{_LENGTH})(?P<tied>-?)"
    r"|(?P<overlay>&)"
    r"|\((?P<tuplet>[2-9])(?::(?P<within>\d?))?(?::(?P<count>\d{0,2}))?"
    r"|(?P<slur>\.?\(|\))"
    rf"|(?P<note>{_PITCH})"
    rf"|[zx](?P<rest>{_LENGTH})"
    r"|[ZX](?P<bars>\d{0,3})"
    r"|(?P<broken>>{1,3}|<{1,3})"
    r"|(?P<hyphen>-)"
    rf"|(?P<mark>{_WORDS}|\+[^+\s]+\+|[{_MARKS}]|[!*+]"  # a single ! or * ended a line of paper before 2.1
    r"|(?:\^\^?|__?|=)(?:20)?(?![A-Ga-g]))",  # a sign without a note, and =20 which mail left at the ends of lines
)


@dataclass
class Note:
    """Times in quarter notes; `tied` to the next one of its pitch."""

    start: Fraction
    pitch: int
    length: Fraction
    tied: bool


@dataclass
class Voice:
    """Where one voice stands; `unit` is the length of a note that states none, in quarter notes."""

    number: int
    key: dict[str, int]
    shift: int
    unit: Fraction
    meter: Fraction | None  # quarter notes in a bar
    compound: bool
    notes: list[Note] = field(default_factory=list)
    at: Fraction = Fraction(0)
    _bar: dict[str, int] = field(default_factory=dict)  # accidentals up to the next bar line
    _ties: dict[tuple[str, str], int] = field(default_factory=dict)  # the signs of the last notes that are tied to the next
    _tied: dict[tuple[str, str], int] = field(default_factory=dict)  # the same of those before, while the next are read
    _signs: dict[tuple[str, str], int] = field(default_factory=dict)  # of all of the last notes
    _tuplet: tuple[Fraction, int] = (Fraction(1), 0)  # the factor, and how many more notes it holds for
    _next: Fraction = Fraction(1)  # the factor that a broken rhythm gives the next note
    _first: int = 0  # of the notes that began last; there are none of a rest
    _since: Fraction = Fraction(0)  # when the bar began
    _reached: Fraction = Fraction(0)  # how far what is overlaid in it goes
    _bare: bool = False  # whether the last sign was a note without a length
    _last: tuple[Fraction, int] | None = None  # when the last note or rest began, and the notes that there were before it

    def fresh(self, number: int) -> Voice:
        """Another voice as the header has it."""
        return replace(self, number=number, key=dict(self.key), notes=[], _bar={}, _ties={}, _tied={}, _signs={})

    def sing(self, line: str, at: int, fields: list[tuple[str, str]]) -> int:
        """Take in the music from `at` up to the first inline field, which is put into `fields`; gives where it ends."""
        if not at and (match := _CUT.match(line)):
            if self._bare and match["late"]:
                self._lengthen(length(match["late"]))
            if match["late"] and (self._bare or match["late"].isdigit()):  # else the number of an ending
                at = match.end()
        while at < len(line) and not fields:
            match = _TOKEN.match(line, at)
            if not match:
                raise Unreadable(_unknown(line, at))
            self._take(match, fields)
            at = match.end()
        return at

    def _take(self, match: re.Match[str], fields: list[tuple[str, str]]) -> None:
        if match["note"] or match["chord"] or match["rest"] is not None:
            self._tied, self._ties, self._signs = self._ties, {}, {}  # a tie leads to what comes next, and no farther
        if match["blank"] is None:
            self._bare = bool(match["note"]) and not match["length"] and not match["tie"]
        if match["field"] is not None:
            fields.append((match["field"], match["value"].strip()))
        elif match["bar"] is not None:
            self._bar.clear()
            self.at = self._since = max(self.at, self._reached)
        elif match["overlay"] is not None:
            self._reached, self.at, self._last = max(self.at, self._reached), self._since, None
            self._bar.clear()
        elif match["chord"] is not None:
            self._chord(match)
        elif match["tuplet"] is not None:
            self._open_tuplet(match)
        elif match["note"] is not None:
            self._sound([self._note(match)], length(match["length"]))
        elif match["rest"] is not None:
            self._sound([], length(match["rest"]))
        elif match["bars"] is not None:
            self._whole_bars(int(match["bars"] or 1))
        elif match["broken"] is not None:
            self._break(match["broken"])
        elif match["hyphen"] is not None:
            self._tie_back()

    def _lengthen(self, factor: Fraction) -> None:
        """The last note, whose length stands in the next line."""
        for note in self.notes[self._first :]:
            self.at += note.length * (factor - 1)
            note.length *= factor

    def _tie_back(self) -> None:
        """A tie that stands before its note, behind a bar line or in a new line: it is that of the notes before it."""
        self._ties |= self._signs
        for note in self.notes[self._first :]:
            note.tied = True

    def _note(self, match: re.Match[str]) -> tuple[int, bool]:
        """The pitch, and whether it is tied to the next; an accidental holds for its letter up to the bar line."""
        name = match["letter"].upper()
        place = (match["letter"], match["octave"])
        tie = self._tied.pop(place, None)  # it leads to one note
        if match["sign"]:
            sign = self._bar[name] = ACCIDENTALS[match["sign"]]
        else:
            sign = self._bar.get(name, self.key.get(name, 0)) if tie is None else tie
        self._signs[place] = sign
        if match["tie"]:
            self._ties[place] = sign
        octaves = match["letter"].islower() + match["octave"].count("'") - match["octave"].count(",")
        return BASE[name] + sign + 12 * octaves + self.shift, bool(match["tie"])

    def _chord(self, match: re.Match[str]) -> None:
        """Notes that begin together; the first one's length, times the one behind the bracket, is the chord's."""
        inside = re.sub(rf'"[^"]*"|![^!]*!|[\s()>{_MARKS}]|[zx]{_LENGTH}', "", match["chord"])
        matches, at = [], 0
        while at < len(inside):
            note = _NOTE.match(inside, at)
            if not note:
                raise Unreadable(f"{match.group()[:40]!r} is no chord that is understood; write it as [CEG]2")
            matches.append(note)
            at = note.end()
        if not matches:
            return
        pitches = [self._note(note) for note in matches]
        tied = bool(match["tied"])
        if tied:
            self._ties |= {(note["letter"], note["octave"]): self._sign(note) for note in matches}
        lengths = length(matches[0]["length"]) * length(match["times"])
        self._sound([(pitch, tie or tied) for pitch, tie in pitches], lengths)

    def _sign(self, note: re.Match[str]) -> int:
        name = note["letter"].upper()
        return self._bar.get(name, self.key.get(name, 0))

    def _sound(self, pitches: list[tuple[int, bool]], units: Fraction) -> None:
        """Notes that begin now and last so many units, or a rest where there are none."""
        factor, left = self._tuplet
        lasts = units * self.unit * self._next * (factor if left else 1)
        self._tuplet, self._next = (factor, max(0, left - 1)), Fraction(1)
        self._last, self._first = (self.at, len(self.notes)), len(self.notes)
        self.notes += [Note(self.at, pitch, lasts, tied) for pitch, tied in pitches]
        self.at += lasts

    def _open_tuplet(self, match: re.Match[str]) -> None:
        """`(p:q:r`: p notes in the time of q, for the next r."""
        size = int(match["tuplet"])
        within = int(match["within"] or 0) or SHORT.get(size, 3 if self.compound else 2)
        self._tuplet = (Fraction(within, size), int(match["count"] or 0) or size)

    def _break(self, signs: str) -> None:
        """`a>b`: the first is dotted and the second halved, `<` the other way round, more signs more so."""
        if self._last is None:
            raise Unreadable(f"{signs!r} stands before any note; broken rhythm is written between two")
        small = Fraction(1, 2 ** len(signs))
        large = 2 - small
        mine, self._next = (large, small) if signs[0] == ">" else (small, large)
        start, first = self._last
        self.at = start + (self.at - start) * mine
        for note in self.notes[first:]:
            note.length *= mine
        self._last = None

    def _whole_bars(self, count: int) -> None:
        if self.meter is None:
            raise Unreadable("a rest of whole bars (Z) needs a meter, such as M:4/4")
        self._last, self.at = None, self.at + count * self.meter

    def joined(self) -> list[Note]:
        """The notes, with those that are tied as one."""
        merged: list[Note] = []
        open_: dict[tuple[int, Fraction], Note] = {}
        for note in self.notes:
            before = open_.pop((note.pitch, note.start), None)
            if before is not None:
                before.length += note.length
            else:
                before = replace(note)
                merged.append(before)
            if note.tied:
                open_[note.pitch, note.start + note.length] = before
        return merged


def length(text: str) -> Fraction:
    """The factor that stands behind a note: 3, 3/2, /2, /, //."""
    over, slash, under = text.partition("/")
    value = Fraction(int(over or 1))
    if slash:
        parts = int(under) if under.isdigit() else 2 ** (1 + len(under))
        value = value / parts if parts else Fraction(0)
    if value.denominator > MOST or not value:
        raise Unreadable(f"the length {text!r} is not understood; the shortest is /{MOST}")
    return value


def _unknown(line: str, at: int) -> str:
    return f"{line[at : at + 20]!r} is not understood; mend it, or leave it out"
