from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigc_models.modalities.text import Decoder, Format
from tasks.serve.cutting import Cut

END = 256


def cut(symbols: bytes | Sequence[int], most: int = 100, stops: Sequence[str] = (), size: int = 1) -> tuple[str, str, int]:
    """Fed `size` symbols at a time, one more than `most` at most."""
    it, text, drawn = Cut(Decoder(Format(length=64)), END, most, stops), "", [*symbols, END][: most + 1]
    for first in range(0, len(drawn), size):
        text += it.add(drawn[first : first + size], last=first + size >= len(drawn))
        text.encode()  # whole characters
    assert it.reason
    assert it.shown == len(text)
    return text, it.reason, it.tokens


def test_text_that_ends_by_itself():
    assert cut(b"hello") == ("hello", "stop", 5)


def test_text_of_just_the_length_ends_by_itself():
    assert cut(b"hello", most=5) == ("hello", "stop", 5)


@pytest.mark.parametrize("size", [1, 2, 9])
def test_text_is_cut_between_characters(size):
    assert cut("hé!".encode(), most=2, size=size) == ("h", "length", 1)
    assert cut("hé!".encode(), most=3, size=size) == ("hé", "length", 3)


def test_bytes_that_are_no_text_count_as_the_symbols_that_they_are():
    assert cut(b"a\xffb\xc3") == ("a\ufffdb\ufffd", "stop", 4)
    assert cut(b"a\xff\xff\xff", most=3) == ("a\ufffd\ufffd", "length", 3)


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("one. two", (". ",), "one"),
        ("one. two", (". t",), "one"),
        ("aab aac", ("aac",), "aab "),
        ("aaab", ("aab",), "a"),
        ("no end.", (". ",), "no end."),
        ("first second", ("second", "st"), "fir"),
        ("ein Ü. zwei", ("Ü.",), "ein "),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 50])
def test_text_ends_before_a_stop(text, stops, expected, size):
    assert cut(text.encode(), stops=stops, size=size)[:2] == (expected, "stop")


def test_nothing_of_a_stop_string_is_shown_early():
    it = Cut(Decoder(Format(length=64)), END, 100, ("XYZ",))
    assert [it.add([symbol]) for symbol in b"abXY"] == ["a", "b", "", ""]
    assert it.add([END]) == "XY"


@given(st.lists(st.sampled_from([*"ab. é".encode(), 0xFF]), max_size=30), st.integers(1, 12), st.integers(1, 40))
def test_the_text_does_not_depend_on_its_pieces(symbols, size, most):
    assert cut(symbols, most, ("a.", "é "), size) == cut(symbols, most, ("a.", "é "))
