"""Reasons as people read them."""

from __future__ import annotations

import pytest

from aigc_models.reading.words import number, plain


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("the chunk b'TAGxxxx' is not known", "the chunk 'TAGxxxx' is not known"),
        ('begins with b"it\'s"', "begins with 'it's'"),
        ("begins with b'\\x00\\x01\\xff'", "begins with the bytes 00 01 ff"),
        ("holds 1e+33, which is beyond 1e+30", "holds a number of 34 digits, which is beyond a number of 31 digits"),
        ("2.5e-05 apart, 7.2e+03 s", "0.000025 apart, 7,200 s"),
        ("the cell '1e5' is no word; cafe5 and 1e5f stay", "the cell '1e5' is no word; cafe5 and 1e5f stay"),
        ("a.b'c' is what people wrote", "a.'c' is what people wrote"),
    ],
)
def test_what_only_programs_say_is_put_into_words(reason: str, shown: str) -> None:
    assert plain(reason) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (12.0, "12"), (1e-7, "0.0000001"), (8e9, "8,000,000,000"), (-3e40, "a number of 41 digits")],
)
def test_numbers_have_no_exponent(value: float, shown: str) -> None:
    assert number(value) == shown
