"""Text: reading, normalising, near-duplicates, and the way to numbers and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigc_models.errors import Unreadable
from aigc_models.modalities import text

LONG = "The quick brown fox jumps over the lazy dog while nobody is looking at it from the window. "


@pytest.mark.parametrize("payload", [b"caf\xc3\xa9", b"\xef\xbb\xbfcaf\xc3\xa9", "café".encode("utf-16")])
def test_reads_utf8_and_marked_utf16(payload: bytes) -> None:
    assert text.read(payload, "a.txt") == "café"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [(b"", "zero bytes"), (b"caf\xe9 au lait", "not UTF-8.*0xe9 at byte 3"), (b"\xff\xfea", "not UTF-16")],
)
def test_unreadable_bytes_say_where(payload: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        text.read(payload, "a.txt")


def test_nul_and_lone_surrogates_are_not_text() -> None:
    assert "NUL" in str(text.validate("a\0b"))
    assert "surrogate at position 1" in str(text.validate("a\ud800"))
    assert text.validate("plain \U0001f600") is None


def test_normalise_composes_and_trims() -> None:
    assert text.normalise("\ufeffe\u0301a  \r\nb\t\rc\n\n") == "éa\nb\nc"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), min_size=1, max_size=5))
def test_encode_and_decode_are_inverse(contents: list[str]) -> None:
    form = text.choose_format(contents)
    values = text.encode(contents, form)
    assert values.symbols.dtype == np.int16
    assert form.length % 16 == 0
    assert text.decode(text.tensor(values), form) == contents
    assert [text.unpack(text.pack(content)) for content in contents] == contents


def test_long_items_are_kept_whole_though_long_ones_are_not_generated_unasked() -> None:
    long = "é" * 200_000
    form = text.choose_format([long, "short"])
    assert form.length == text.LONGEST
    values = text.encode([long, "short"], form)
    assert values.lengths.tolist() == [400_001, 6]
    assert text.decode(values, form) == [long, "short"]
    assert text.amounts(values, form).tolist() == [400_000, 5]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_characters_come_whole_and_together_are_the_text(content: str) -> None:
    form = text.Format(length=64)
    pieces = list(text.characters([*text.symbols(content, form), 256, 65], form))
    assert "".join(pieces) == content
    assert all(len(piece) == 1 for piece in pieces)


def test_a_tensor_is_as_long_as_its_longest_row() -> None:
    values = text.encode(["ab", "abcd"], text.Format(length=64))
    assert text.tensor(values).shape == (2, 5)
    assert text.tensor(values[:1]).tolist() == [[97, 98, 256]]


def test_near_duplicates_are_found_and_others_are_not() -> None:
    contents = [LONG * 2, "Something else altogether, about numbers and graphs.", LONG * 2 + "Almost!", LONG.upper() * 2, "x"]
    bands = text.bands([text.fingerprint(content).near for content in contents])
    shared = [(i, j) for j in range(5) for i in range(j) if (bands[i] == bands[j]).any()]
    traits = [text.traits(content) for content in contents]
    assert (
        shared == [(i, j) for i, j in [(0, 2), (0, 3), (2, 3)] if text.alike(traits[i], traits[j])] == [(0, 2), (0, 3), (2, 3)]
    )
    assert not text.alike(traits[0], traits[1])


def test_similarity_is_the_jaccard_similarity_of_the_shingles() -> None:
    words = [f"word{number}" for number in np.random.default_rng(0).integers(0, 10_000, 1200)]
    pairs = [("the graph has seven nodes", "the graph has eleven nodes"), (" ".join(words[:1000]), " ".join(words[200:]))]
    for one, other in pairs:
        first, second = ({content[at : at + 5] for at in range(len(content) - 4)} for content in (one, other))
        expected = len(first & second) / len(first | second)
        assert text.similarity(text.traits(one), text.traits(other)) == pytest.approx(expected)


def test_write_and_preview(tmp_path) -> None:
    assert text.write("a < b", tmp_path / "item").read_text() == "a < b"
    assert "a &lt; b" in text.preview("a < b")


@given(st.lists(st.text("abc ", max_size=20), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_distinct_runs_of_words_are_those_that_sets_count(contents: list[str]) -> None:
    figures = text.spread(contents)
    for length in (1, 2, 3):
        words = [content.split() for content in contents]
        runs = [tuple(each[at : at + length]) for each in words for at in range(len(each) - length + 1)]
        assert figures[f"distinct_{length}"] == round(len(set(runs)) / max(1, len(runs)), 4)


def test_where_words_have_no_spaces_characters_are_counted() -> None:
    assert text.spread(["床前明月光", "床前 moon light 月"])["distinct_1"] == 0.7  # seven of ten
