"""ABC notation (the standard 2.1, abcnotation.com/wiki/abc:standard:v2.1): all that is heard of a tune.

Fields X T M L K Q V, notes and chords with accidentals and lengths, rests, ties, tuplets, broken rhythm, bars, overlays. Of
several M: and Q: the first is the tune's. Repeats stand as they are written, and are not unfolded; grace notes, decorations,
chord symbols and words are left out. Old and broken typography is read where it leaves no doubt of what is meant: words in the
header, symbols of one's own, lines that were cut by mail, bar lines of all kinds. What leaves a doubt is refused: the readers
for ABC that there are in Python skip what they do not understand, or know no chords.
"""

from __future__ import annotations

import re
from fractions import Fraction

from aigc_models.errors import Unreadable
from aigc_models.modalities.events.abc_key import key, moved
from aigc_models.modalities.events.abc_voice import MOST, Voice
from aigc_models.modalities.events.events import MOST_EVENTS, Events, Meter, meter_of, notes, tempo_of

MOST_BYTES = 200_000  # of a tune: 5 s of reading where all of them are notes
MOST_VOICES = 64
MOST_CHORD = 200  # characters of a chord over several lines
IN_BODY = frozenset("IKLMNPQRrsTUVWw+")  # fields that may stand between lines of music
REFUSED = {"m": "macros (m:)"}  # they change what the music says
_FIELD = re.compile(r"([A-Za-z+]):(.*)")
_COMMENT = re.compile(r'("[^"]*")|(?<!\\)%.*')
_OPEN = re.compile(r"\[[\^_=A-Ga-g,'\d/\s]*$")  # a chord that is closed in the next line
_STEM = re.compile(r"up|down|merge|bracket|brace|(?!.*8)[^A-Za-z]+")  # of a voice, and no clef
_KEPT = frozenset("MLQK")  # of the fields before the first tune, those that say how all are read
_HEAD = " %of the file"  # ends a line that was put into a tune, which is not counted
DEFAULT = "the default"


def decoded(payload: bytes) -> str:
    """UTF-8, else Latin 1 as before 2.1, with `\\n` alone."""
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = payload.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def tunes(payload: bytes) -> list[tuple[str, int, bytes]]:
    """The tunes of a file: the number that X: gives each, the line in which it begins, and its text.

    Fields that stand before the first tune are put behind the first line of each. A file of one tune is that tune.
    """
    lines = decoded(payload).split("\n")
    starts = [at for at, line in enumerate(lines) if line.startswith("X:")]
    if len(starts) < 2:
        return [("", 1, payload)]
    header = [line.partition("%")[0] + _HEAD for line in lines[: starts[0]] if line[1:2] == ":" and line[0] in _KEPT]
    entries = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        rows = lines[start:end]
        rows = rows[: next((at for at, row in enumerate(rows) if not row.strip()), len(rows))]
        text = "\n".join([rows[0], *header, *rows[1:]]) + "\n"
        entries.append((rows[0][2:].partition("%")[0].strip(), start + 1, text.encode()))
    return entries


def read(payload: bytes, name: str) -> Events:
    """The notes of one tune; raises `Unreadable` with the line and what to do."""
    if len(payload) > MOST_BYTES:
        raise Unreadable(f"has {len(payload) / 1e3:,.0f} kB; the limit of a tune is {MOST_BYTES / 1e3:g} kB: cut it")
    if b"\0" in payload:
        raise Unreadable("holds a NUL character: a binary file, or a damaged one")
    tune, number = Tune(), 0
    for line in decoded(payload).split("\n"):
        number += not line.endswith(_HEAD)
        if tune.begun and not line.strip():
            break
        plain = _COMMENT.sub(lambda match: match[1] or "", line.replace("=3D", "=")).rstrip()  # as mail wrote =
        try:
            if plain:
                tune.take(plain)
        except Unreadable as error:
            raise Unreadable(f"line {number} of {name}: {error}") from error
    if not tune.begun:
        raise Unreadable(f"{name} is no tune in ABC notation: no line K: (its key) closes the header")
    return tune.events()


class Tune:
    """What is known of a tune so far."""

    def __init__(self) -> None:
        self.begun = False  # whether the header is over
        self.header = Voice(0, {}, 0, Fraction(1, 2), Fraction(4), False)
        self.stated = False  # whether L: was
        self.beats: Meter | None = None  # what the first M: says
        self.tempo: float | None = None  # what the first Q: says, in quarter notes a minute
        self.speed = ""  # that field, until the length of a note is known
        self.voices: dict[str, Voice] = {}
        self.shifts: dict[str, int] = {}
        self.voice = self.header
        self.cut = ""  # a chord that the line before began

    def take(self, line: str) -> None:
        match = _FIELD.fullmatch(line)
        if match and (not self.begun or match[1] in IN_BODY | set(REFUSED)):
            self.field(match[1], match[2].strip())
        elif self.begun:  # what stands in the header and is no field is words
            self.music(line)

    def music(self, line: str) -> None:
        line, self.cut = self.cut + line, ""
        if open_chord := _OPEN.search(line):
            line, self.cut = line[: open_chord.start()], open_chord[0].rstrip()
            self.closed()
        at, fields = 0, list[tuple[str, str]]()
        while at < len(line):
            fields.clear()
            at = self.voice.sing(line, at, fields)
            for name, value in fields:
                self.field(name, value)
        if sum(len(voice.notes) for voice in self.voices.values()) > MOST_EVENTS:
            raise Unreadable(f"holds more than {MOST_EVENTS:,} notes")

    def closed(self, most: int = MOST_CHORD) -> None:
        """Refuse a chord that has more characters than `most` and is not closed."""
        if len(self.cut) > most:
            raise Unreadable(f"{self.cut[:20]!r} begins a chord that nothing closes; write it as [CEG]2")

    def field(self, name: str, value: str) -> None:
        if name in REFUSED:
            raise Unreadable(f"{REFUSED[name]} are not read; write the music out")
        if name == "K":
            self.key(value)
        elif name == "M":
            self.meter(value)
        elif name == "L":
            self.voice.unit, self.stated = _unit(value), True
        elif name == "Q" and self.tempo is None:
            self.speed = self.speed or value
            if self.begun:
                self.tempo = tempo_of(_speed(value, self.voice.unit))
        elif name == "V":
            self.enter(value)

    def key(self, value: str) -> None:
        """The header's last field, or a change of key."""
        self.voice.key, shift = key(value)
        self.voice.shift = shift + self.shifts.get(self._name(), 0)
        if not self.begun:
            self.begun, self.tempo = True, tempo_of(_speed(self.speed, self.voice.unit))
            self.enter(next(iter(self.shifts), DEFAULT))

    def meter(self, value: str) -> None:
        """`M:`; it says the length of a note too, where no L: does before the music."""
        self.voice.meter, self.voice.compound, stated = _meter(value)
        self.beats = self.beats or stated
        if not self.stated and not self.begun:
            short = self.voice.meter is not None and self.voice.meter < 3
            self.voice.unit = Fraction(1, 4) if short else Fraction(1, 2)

    def enter(self, value: str) -> None:
        """`V:` in the header says what a voice is, in the music that it goes on."""
        name, *properties = re.sub(r'"[^"]*"', '""', value).split() or [DEFAULT]
        if not self.begun or properties:
            self.shifts[name] = sum(moved(part) for part in properties if not _STEM.fullmatch(part))
        if not self.begun:
            return
        if name not in self.voices:
            if len(self.voices) == MOST_VOICES:
                raise Unreadable(f"has more than {MOST_VOICES} voices")
            self.voices[name] = self.header.fresh(len(self.voices))
            self.voices[name].shift += self.shifts.get(name, 0)
        self.voice = self.voices[name]

    def _name(self) -> str:
        return next((name for name, voice in self.voices.items() if voice is self.voice), "")

    def events(self) -> Events:
        """By time, voices in the order in which they came, those without a note left out."""
        self.closed(0)
        sounding = filter(None, (voice.joined() for voice in self.voices.values()))
        pairs = [(note, number) for number, joined in enumerate(sounding) for note in joined]
        if not pairs:
            raise Unreadable("is a tune without notes")
        rows = [(float(note.start), note.pitch, float(note.length), voice) for note, voice in pairs]
        times, pitches, lengths, voices = zip(*rows, strict=True)
        return notes(times, pitches, lengths, voices, tempo=self.tempo, meter=self.beats).ordered()


def _unit(value: str) -> Fraction:
    match = re.fullmatch(r"1(?:/(\d{1,3}))?", value.replace(" ", ""))
    under = int(match[1] or 1) if match else 0
    if not 0 < under <= MOST:
        raise Unreadable(f"L:{value[:20]} is not understood; write it as L:1/8")
    return Fraction(4, under)


def _speed(value: str, unit: Fraction) -> float:
    """Quarter notes a minute of `Q:`, such as 1/4=120, "Allegro" 3/8=50 or 120 notes of length `unit`; 0 where it is words."""
    plain = re.sub(r'"[^"]*"', "", value).strip()
    match = re.fullmatch(r"(?:(?P<beats>[\d/\s]{1,40}|C\d{0,2})\s*=\s*)?(?P<count>\d{1,4}(?:\.\d{1,6})?)", plain)
    if not match:
        return 0.0
    beats, count = match["beats"], float(match["count"])
    if beats is None or beats[0] == "C":  # as before 2.1
        return float(unit * int((beats or "")[1:] or 1)) * count
    parts = [re.fullmatch(r"(\d{1,3})/(\d{1,3})", part) for part in beats.split()]
    quarters = sum(Fraction(4 * int(part[1]), int(part[2])) if part and int(part[2]) else Fraction(0) for part in parts)
    return float(quarters) * count


def _meter(value: str) -> tuple[Fraction | None, bool, Meter | None]:
    """Quarter notes in a bar, None without a meter, whether it is compound (6/8, 9/8, 12/8), and how it is written."""
    if value.lower() in ("none", ""):
        return None, False, None
    if value in ("C", "C|"):
        return Fraction(4), False, (4, 4) if value == "C" else (2, 2)
    match = re.search(r"(\d{1,2}(?:\+\d{1,2})*)\)?/(\d{1,3})(?!\d)", value.replace(" ", ""))
    if not match and not re.search(r"\d", value):
        return None, False, None  # words
    over = sum(int(part) for part in match[1].split("+")) if match else 0
    if not match or not over or not 0 < int(match[2]) <= MOST:
        raise Unreadable(f"M:{value[:20]} is not understood; write it as M:4/4, M:C or M:none")
    compound = int(match[2]) == 8 and over in (6, 9, 12)
    return Fraction(4 * over, int(match[2])), compound, meter_of(over, int(match[2]))
