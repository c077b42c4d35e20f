"""How the bytes of a text file are encoded: what its first bytes say, UTF-8, or what its letters make certain."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from tasks.ingest.readers.held import Held

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

UTF_8 = "utf-8-sig"  # also without a byte-order mark
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
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
    return marked or (UTF_8 if _is_utf_8(path) else of_sample(_sample(path)) or UTF_8)


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
