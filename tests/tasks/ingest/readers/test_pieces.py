"""Cutting a long text loses nothing, keeps to the limit, and never cuts inside a character."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.ingest.readers import pieces


def test_paragraphs_are_merged_up_to_the_limit() -> None:
    assert pieces.cut(b"one\n\ntwo\n\nthree\n", limit=9) == [b"one\n\ntwo", b"three"]


def test_an_overlong_paragraph_is_cut_between_lines_then_sentences() -> None:
    assert pieces.cut(b"a b c.\nd e f. g h i.\n\nlast", limit=8) == [b"a b c.", b"d e f.", b"g h i.", b"last"]


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab .\né€😀", max_size=300), st.integers(8, 60))
def test_nothing_but_white_space_is_lost(text: str, limit: int) -> None:
    cut = pieces.cut(text.encode(), limit)
    assert "".join("".join(piece.decode().split()) for piece in cut) == "".join(text.split())
    assert all(len(piece) <= limit for piece in cut)


def test_lines_take_the_last_separator_and_drop_mark_and_returns() -> None:
    payload = b"\xef\xbb\xbfgood @ home @pos\r\n\r\nno label\r\nbad@neg\r\n"
    assert list(pieces.lines(payload, "@")) == [(1, b"good @ home", "pos"), (3, b"no label", None), (4, b"bad", "neg")]


def test_utf16_becomes_utf8() -> None:
    assert pieces.plain("é\r\n".encode("utf-16")) == "é\n".encode()


def test_a_line_of_megabytes_is_cut_in_time_that_grows_with_it() -> None:
    parts = pieces.cut(b"x" * 3_000_000 + "é".encode() * 10, 1000)
    assert b"".join(parts) == b"x" * 3_000_000 + "é".encode() * 10
    assert {len(piece) for piece in parts[:-1]} == {1000}
