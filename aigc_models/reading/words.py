"""Reasons as people read them: no bytes as Python writes them, no numbers with exponents."""

from __future__ import annotations

import ast
import re

MOST_DIGITS = 15  # before the point, from which on a number is told by how many it has
_BYTES = re.compile(r"""\bb(?P<quote>['"])(?:\\.|(?!(?P=quote))[^\\])*(?P=quote)""")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")  # but for tabs and new lines
_EXPONENT = re.compile(r"(?<![\w.'\"])-?\d+(?:\.\d+)?e[+-]?\d+(?![\w'\"]|\.\d)", re.IGNORECASE)  # not where it is quoted


def plain(reason: str) -> str:
    """A reason, which may be another library's, without what only programs say.

    >>> plain("no chunk b'TAGxxxx'"), plain("holds 1.5e+06 and 2e-05"), plain("not b'\\\\x00\\\\xff'")
    ("no chunk 'TAGxxxx'", 'holds 1,500,000 and 0.00002', 'not the bytes 00 ff')
    """
    reason = _BYTES.sub(lambda match: begins(ast.literal_eval(match.group())), reason)
    return _EXPONENT.sub(lambda match: number(float(match.group())), reason)


def printable(text: str) -> str:
    """A text that does nothing to a terminal, whatever a file is called.

    >>> printable("a\\x1b[31m b\\x07")
    'a\\\\x1b[31m b\\\\x07'
    """
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


def begins(payload: bytes) -> str:
    """A few bytes: as text where they are, else as hexadecimal numbers.

    >>> begins(b"TAG ok"), begins(b"\\0\\1")
    ("'TAG ok'", 'the bytes 00 01')
    """
    if payload.isascii() and payload.decode("ascii").isprintable():
        return f"'{payload.decode('ascii')}'"
    return f"the bytes {payload.hex(' ')}"


def number(value: float, digits: int = 6) -> str:
    """With so many digits that count, and without an exponent.

    >>> number(7.2e3), number(0.00002), number(1e30), number(-2.5), number(123456789.0), number(float("nan"))
    ('7,200', '0.00002', 'a number of 31 digits', '-2.5', '123,457,000', 'nan')
    """
    short = f"{value:.{digits}g}"
    if "e" not in short:
        return f"{float(short):,.0f}" if float(short).is_integer() and abs(value) >= 1000 else short
    size = int(short.partition("e")[2])
    if size >= MOST_DIGITS:
        return f"a number of {size + 1} digits"
    if size >= 0:
        return f"{float(short):,.0f}"
    shown = len(short.partition("e")[0].lstrip("-").replace(".", ""))
    return f"{float(short):.{min(40, shown - 1 - size)}f}"
