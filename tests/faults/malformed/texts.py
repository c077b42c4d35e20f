"""Malformed texts: encodings, characters that are none, and texts that are made to cost time."""

from __future__ import annotations

import codecs
import gzip
import random
from itertools import islice

import damage
from damage import Files, Makers

MB = 1_000_000
LETTER = "Liebe Grüße aus Köln, ça va bien à l'hôtel; ‘quoted’ words – and more. "


def good(count: int = 40) -> Files:
    kinds = ("txt", "md", "html", "py")
    return {f"good-{at:02d}.{kinds[at % 4]}": " ".join(damage.words(60, at)).encode() for at in range(count)}


def mojibake(text: str, times: int) -> str:
    """Text that was decoded wrongly, over and over."""
    for _ in range(times):
        text = text.encode("utf-8").decode("latin-1")
    return text


def encodings() -> Files:
    plain = LETTER.encode()
    wide = LETTER.encode("utf-16")
    return {
        "latin-1.txt": LETTER.replace("‘", "'").replace("’", "'").replace("–", "-").encode("latin-1") * 3,
        "one-latin-letter.txt": b"caf\xe9",
        "utf-16.txt": wide,
        "utf-16-cut.txt": wide[:-1],
        "utf-16-without-mark.txt": LETTER.encode("utf-16-le"),
        "utf-16-lone-surrogate.txt": codecs.BOM_UTF16_LE + b"a\0\x00\xd8b\0",
        "utf-32.txt": LETTER.encode("utf-32"),
        "utf-7.txt": LETTER.encode("utf-7"),
        "ebcdic.txt": "HELLO WORLD 12345".encode("cp500"),
        "only-a-mark.txt": codecs.BOM_UTF8,
        "mark-twice.txt": codecs.BOM_UTF8 * 2 + plain,
        "mark-inside.txt": plain + codecs.BOM_UTF8 + plain[::-1].decode("utf-8", "ignore").encode(),
        "overlong.txt": b"a\xc0\xafb",
        "surrogates-in-utf-8.txt": b"lone \xed\xa0\x80 surrogate",
        "surrogate-pair-in-utf-8.txt": b"pair \xed\xa0\xbd\xed\xb8\x80 of surrogates",
        "beyond-unicode.txt": b"a\xf4\x90\x80\x80b",
        "cut-inside-a-letter.txt": plain[: plain.index("ü".encode()) + 1],
        "byte-fe.txt": b"\xfe\xfe\xff\xff text",
        "mixed-encodings.txt": plain + LETTER.replace("‘", "").replace("’", "").replace("–", "").encode("latin-1"),
        "mojibake.txt": mojibake(LETTER, 1).encode() * 5,
        "mojibake-8-deep.txt": mojibake("Grüße – ", 8).encode(),
        "replaced.txt": "\ufffd".encode() * 200,
    }


def characters() -> Files:
    return {
        "nul-inside.txt": b"before\0after",
        "nul-alone.txt": b"\0" * 500,
        "controls.txt": bytes(range(1, 32)) * 20,
        "terminal-codes.txt": b"\x1b[31mred\x1b[0m " * 50,
        "newlines-mixed.txt": b"unix\nwindows\r\nold mac\rform\x0cfeed\x0bvertical\x1c\x1d\xc2\x85\xe2\x80\xa8end",
        "only-newlines.txt": b"\n\r\n\r" * 300,
        "only-blanks.txt": " \t\u3000\u00a0\u2003".encode() * 100,
        "only-invisible.txt": "\u200b\u200c\u200d\u2060\ufeff".encode() * 100,
        "right-to-left.txt": ("\u202eabc\u202c" * 400 + "\u2066" * 500).encode(),
        "combining.txt": ("e" + "\u0301\u0323\u0489" * 5000).encode(),
        "joined-emoji.txt": ("\U0001f468\u200d" * 3000).encode(),
        "no-characters.txt": "\ufffe\uffff\U0001ffff".encode() * 30,
        "private-use.txt": "\ue000\U000f0000".encode() * 200,
        "formula.txt": b"=cmd|' /C calc'!A0",
        "markup.txt": b"<script>alert(1)</script><img src=x onerror=alert(1)>",
        "template.txt": b"{{7*7}} ${jndi:ldap://x} %s %n {0.__class__}",
        "empty.txt": b"",
        "one-byte.txt": b"x",
        "quotes.txt": b'"""' * 500,
    }


def heavy() -> Makers:
    """Each is one line of 10 MB, or of 2 MB where they cost more."""
    chance = random.Random(damage.SEED)
    words = list(islice(damage.words(2000), 2000))
    return {
        "one-line.txt": lambda: " ".join(chance.choice(words) for _ in range(10 * MB // 7)).encode(),
        "brackets.txt": lambda: b"(" * 10 * MB,
        "at-signs.txt": lambda: b"@" * 2 * MB,
        "digits.txt": lambda: b"1" * 2 * MB,
        "dotted.txt": lambda: b"a." * MB,
        "blanks-around.txt": lambda: b" " * 5 * MB + b"x" + b" " * 5 * MB,
        "lines-of-blanks.txt": lambda: b" \n" * MB,
        "digits-2-mb.txt": lambda: b"0 " * MB,
        "marks-2-mb.txt": lambda: ("a" + "\u0316" * MB).encode(),
        "marks-of-many-classes.txt": lambda: ("a" + "\u0316\u0301\u0334" * (MB // 3)).encode(),
        "no-borders.txt": lambda: b"x" * 2 * MB,
        "mojibake-2-mb.txt": lambda: mojibake("é", 3).encode() * 150_000,
        "newlines.txt": lambda: b"\n" * 10 * MB,
        "addresses.txt": lambda: b"a@b.c " * 300_000,
        "nearly-an-address.txt": lambda: b"a@" + b"b." * MB,
        "colons.txt": lambda: b"1:" * MB,
        "phone-numbers.txt": lambda: b"+49 30 1234567 " * 150_000,
    }


def bad() -> Files:
    others = {
        "photo.png": b"\x89PNG\r\n\x1a\n" + damage.noise(500),
        "paper.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + damage.noise(500),
    }
    others |= {"packed.gz": gzip.compress(b"text" * 99, mtime=0), "program.elf": b"\x7fELF\2\1\1" + bytes(300)}
    others |= {
        "noise.bin": damage.noise(3000),
        "office.docx": b"PK\3\4" + damage.noise(300),
        "database.db": b"SQLite format 3\0" + bytes(80),
    }
    return encodings() | characters() | damage.misnamed(others, "txt")
