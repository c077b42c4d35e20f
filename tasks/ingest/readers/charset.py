"""How the bytes of a text file are encoded: what its first bytes say, UTF-8, or what its letters make certain."""

from __future__ import annotations

import codecs
from itertools import pairwise
from typing import TYPE_CHECKING

from tasks.ingest.readers.held import Held, InMemory

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

UTF_8 = "utf-8-sig"  # also without a byte-order mark
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
ESCAPES = {b"\x1b$)C": "iso2022_kr", b"\x1b$B": "iso2022_jp_2", b"\x1b$@": "iso2022_jp_2", b"\x1b$A": "iso2022_jp_2"}
MAC = "mac_roman"
MAC_LETTERS = frozenset(b"\x87\x88\x89\x8a\x8b\x8d\x8e\x8f\x90\x95")  # no letters, or capitals, in all other encodings
MAC_SHARE, OTHER_SHARE = 0.2, 0.1  # of the bytes after a small letter: at least of these, at most of other encodings' letters
SAMPLE = 1 << 16  # bytes of lines that are not ASCII
SMALL = 500  # bytes that are filled up with lines of ASCII, since a few words tell no language
CHUNK = 1 << 20  # bytes read at once
FEWEST = 2  # bytes above ASCII from which on a guess is made
FEWEST_WIDE = 16  # the same for encodings of several bytes a character, which most bytes fit
COHERENT = 0.2  # share of a language's usual letters, as charset-normalizer counts it
MESSY = 0.12  # charset-normalizer's measure of what is no word, at most
WESTERN = "cp1252"  # holds all of Latin-1 that is in use
LATIN = {
    WESTERN: frozenset[str](),  # what is written in none of the others
    "cp1250": frozenset({"pl", "cs", "sk", "hu", "ro", "hr", "sl", "bs"}),
    "cp1254": frozenset({"tr", "az"}),
    "cp1257": frozenset({"lt", "lv", "et"}),
}
OTHERS = ("cp1251", "cp1253", "koi8_r")
WIDE = ("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr")


def of_file(path: Held) -> str:
    """The encoding's name for `open`; `UTF_8` also where none is certain, so that cleaning sees the very bytes."""
    with path.open("rb") as file:
        start = file.read(4)
    marked = next((name for mark, name in MARKS.items() if start.startswith(mark)), None)
    if not marked and b"\0\0" in (start[::2], start[1::2]):  # letters of ASCII, two bytes each
        return "utf-16-be" if start[0] == 0 else "utf-16-le"
    if marked or not _is_utf_8(path):
        return marked or of_sample(_sample(path)) or UTF_8
    return _escaped(path) or UTF_8


def as_utf_8(payload: bytes) -> bytes:
    """A text whose encoding is certain in UTF-8; one that is so already, or of which nothing is certain, as it is."""
    encoding = of_file(InMemory("", payload))
    if encoding == UTF_8:
        return payload
    text = payload.decode(encoding, "replace")
    unlikely = encoding.startswith("utf-16-") and any(not one.isprintable() and not one.isspace() for one in text[:SAMPLE])
    return payload if unlikely else text.encode("utf-8", "replace")  # bytes that are no text may begin as UTF-16 does


def errors(encoding: str) -> str:
    """What `open` does with bytes that do not fit: of UTF-8 they are carried as surrogates."""
    return "surrogateescape" if encoding == UTF_8 else "replace"


def of_sample(sample: bytes) -> str | None:
    """The encoding of text that is not UTF-8, or None where it is not certain."""
    text = sample.decode("utf-8", "surrogateescape")
    stray = sum("\ud800" <= character <= "\udfff" for character in text)
    letters = sum(character > "\x7f" for character in text) - stray
    if stray < FEWEST or letters > stray or b"\0" in sample:
        return None  # too few to tell; UTF-8 with some damage; no text
    if _is_mac(sample):
        return MAC
    from charset_normalizer import from_bytes

    matches = list(from_bytes(sample, cp_isolation=[*LATIN, *OTHERS, *WIDE]))
    if not matches or not _certain(matches[0]):
        return None
    names = matches[0].could_be_from_charset
    if not set(names) & set(LATIN):
        return next((name for name in names if name not in WIDE or stray >= FEWEST_WIDE), None)
    name = _of_language(sample)  # these differ in a few letters, which the language alone tells apart
    return name if any(name in match.could_be_from_charset for match in matches) else None


def _certain(match: CharsetMatch) -> bool:
    return match.chaos <= MESSY and (match.coherence >= COHERENT or match.encoding in WIDE)


def _is_mac(sample: bytes) -> bool:
    """Whether most of what comes after small letters of ASCII are letters that stand there in Mac Roman alone."""
    after = [byte for before, byte in pairwise(sample) if byte > 0x7F and 0x61 <= before <= 0x7A]
    letters, others = sum(byte in MAC_LETTERS for byte in after), sum(byte >= 0xDF for byte in after)
    return letters > FEWEST and letters >= MAC_SHARE * len(after) and others <= OTHER_SHARE * len(after)


def _escaped(path: Held) -> str | None:
    """An encoding that writes other letters in bytes of ASCII, after a sequence that announces them."""
    with path.open("rb") as file:
        start = file.read(SAMPLE)
    name = next((name for mark, name in ESCAPES.items() if mark in start), None)
    try:
        letters = start[: start.rfind(b"\n") + 1 or None].decode(name) if name else ""
    except UnicodeDecodeError:
        return None
    return name if not letters.isascii() else None


def _of_language(sample: bytes) -> str:
    """The encoding of Latin letters that the language is written in; most of them stand at the same place in all."""
    import py3langid

    language, _ = py3langid.classify(sample.decode(WESTERN, "replace"))
    return next((name for name, languages in LATIN.items() if language in languages), WESTERN)


def _is_utf_8(path: Held) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _sample(path: Held) -> bytes:
    """The first lines that hold bytes above ASCII; of the others a few where these are short."""
    sample = plain = b""
    with path.open("rb") as file:
        while len(sample) < SAMPLE and (line := file.readline(SAMPLE)):
            if not line.isascii():
                sample += line
            elif len(plain) < SMALL:
                plain += line
    return sample + plain if len(sample) < SMALL else sample
