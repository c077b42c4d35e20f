"""Every string comes back exactly, in whole characters as it is drawn, and what is counted is bytes."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigc_models.modalities import text
from aigc_models.modalities.text import tokeniser

WORDS = ["the", "ship", "carries", "grain", "to", "a", "harbour", "Überseehafen", "in", "港口", "north"]


def sentences(count: int, seed: int = 0) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choice(WORDS) for _ in range(12)) + "\n" for _ in range(count)]


def learned(kind: str) -> text.Format:
    return text.learned(text.Format(length=64, tokeniser=kind, pieces=400), sentences(200))


FORMATS = {kind: learned(kind) for kind in ("bytes", "bpe", "unigram")}


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=150, deadline=None)
@given(contents=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=5))
def test_every_string_comes_back(kind: str, contents: list[str]) -> None:
    form = FORMATS[kind]
    values = text.encode(contents, form)
    assert text.decode(values, form) == contents
    assert text.decode(text.tensor(values), form) == contents
    assert text.amounts(values, form).tolist() == [len(content.encode()) for content in contents]
    assert all(row[-1] == text.vocabulary(form).end for row in values.rows())


@pytest.mark.parametrize("kind", FORMATS)
def test_pieces_that_are_drawn_are_whole_characters(kind: str) -> None:
    form, content = FORMATS[kind], "\U0001f600 ist 港口 für Überseehafen"
    drawn = list(text.characters([*text.symbols(content, form).tolist(), text.vocabulary(form).end, 5], form))
    assert "".join(drawn) == content
    assert all("\ufffd" not in piece for piece in drawn)


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_a_tokeniser_is_shorter_than_bytes_on_what_it_knows_and_the_same_each_time(kind: str) -> None:
    known = text.encode(sentences(20, seed=1), FORMATS[kind])
    share = 0.7 if kind == "bpe" else 1.0  # of so few words a unigram model makes few pieces
    assert known.lengths.sum() < share * text.encode(sentences(20, seed=1), FORMATS["bytes"]).lengths.sum()
    assert learned(kind) == FORMATS[kind]
    assert text.learned(FORMATS[kind], ["other texts"]) is FORMATS[kind]
    assert len(tokeniser.pieces(FORMATS[kind].learned)) <= 400
    assert set(tokeniser.pieces(FORMATS[kind].learned)) >= {bytes([value]) for value in range(256)}


def test_what_a_format_has_learned_goes_round_as_json() -> None:
    form = FORMATS["bpe"]
    again = text.Format.model_validate_json(form.model_dump_json())
    assert np.array_equal(text.encode(["grain"], again).symbols, text.encode(["grain"], form).symbols)
    assert tokeniser.described(form.learned).startswith("bpe of ")
