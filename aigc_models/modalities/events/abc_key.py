"""Keys of ABC notation: `K:` fields as accidentals (the standard 2.1, sections 3.1.14 and 4.6)."""

from __future__ import annotations

import re

from aigc_models.errors import Unreadable

SHARPS = "FCGDAEB"  # in the order in which keys have them
MODES = {"maj": 0, "ion": 0, "mix": -1, "dor": -2, "min": -3, "aeo": -3, "m": -3, "phr": -4, "loc": -5, "lyd": 1, "": 0}
ACCIDENTALS = {"^": 1, "_": -1, "=": 0, "^^": 2, "__": -2}
PIPES = {"HP": {}, "Hp": {"F": 1, "C": 1, "G": 0}}
_TONIC = re.compile(r"(?P<tonic>[A-G])(?P<sign>[#b]?)(?P<blank>\s*)(?P<mode>[A-Za-z]*)")
_NOT_A_MODE = re.compile(r"(?:treble|alto|tenor|bass|perc|none)$")
_CLEF = re.compile(r"(?:clef=)?\"?(?:treble|alto|tenor|bass|perc|none|[GCF])?[1-5]?(?P<octave>[+-]8|\^8|_8|8)?(?:v[ab])?\"?")
_DRAWN = re.compile(r"[A-Za-z][\w-]*=.*|[A-Za-z][a-z]+")  # properties and words that say how notes are drawn
_SHIFTS = {"octave": 12, "transpose": 1, "t": 1}  # semitones of one


def key(text: str) -> tuple[dict[str, int], int]:
    """Semitones by which a key changes each letter, and those by which all is moved; raises `Unreadable`."""
    text = text.strip()
    signature, rest = _signature(text)
    shift = 0
    for part in re.sub(r"([\^_=]{1,2}[A-Ga-g])(?![\w=])", r" \1 ", rest).split():
        accidental = re.fullmatch(r"(\^\^|\^|__|_|=)([A-Ga-g])", part)
        if accidental:
            signature[accidental[2].upper()] = ACCIDENTALS[accidental[1]]
        else:
            shift += moved(part)
    return signature, shift


def moved(part: str) -> int:
    """The semitones of a property such as octave=-1 or treble-8; none for what says how notes are drawn; raises `Unreadable`.

    A clef with an 8 sounds an octave higher (+8) or lower (-8, and treble8 as older files write it).
    """
    name, _, value = part.partition("=")
    if name in _SHIFTS and re.fullmatch(r"[+-]?\d{1,2}", value):
        return _SHIFTS[name] * int(value)
    clef = _CLEF.fullmatch(part)
    if clef and clef["octave"]:
        return 12 if clef["octave"][0] in "+^" else -12
    if clef or _DRAWN.fullmatch(part):
        return 0
    raise Unreadable(f"{part[:40]!r} is not understood; of a key its tonic, mode, accidentals and clef are")


def _signature(text: str) -> tuple[dict[str, int], str]:
    first, _, rest = text.partition(" ")
    if first in PIPES:
        return dict(PIPES[first]), rest
    if first.lower() in ("", "none"):
        return {}, rest
    match = _TONIC.match(text)
    if not match:
        return {}, text
    mode = match["mode"]
    named = (mode if mode == "M" else mode.lower()[:3]) in {*MODES, "M", "exp"}
    if _NOT_A_MODE.match(mode) or (not named and (match["blank"] or text[match.end() :].startswith("="))):  # clef=, or words
        mode, end = "", match.start("mode")
    else:
        end = match.end()
    if mode.lower() == "exp":
        return {}, text[end:]
    short = mode if mode in ("m", "M") else mode.lower()[:3]
    fifths = MODES.get("" if short == "M" else short)
    if fifths is None:
        raise Unreadable(f"the mode {mode[:20]!r} is not understood; known are maj, min, m, dor, phr, lyd, mix, aeo, ion, loc")
    fifths += SHARPS.index(match["tonic"]) - 1 + {"#": 7, "b": -7, "": 0}[match["sign"]]
    if abs(fifths) > 7:
        raise Unreadable(f"the key {text[:20]!r} has more than seven accidentals")
    signs = dict.fromkeys(SHARPS[:fifths], 1) if fifths > 0 else dict.fromkeys(SHARPS[fifths:] if fifths else "", -1)
    return signs, text[end:]
