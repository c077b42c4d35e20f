"""Which symbols may come next: against Python's own expressions and readers of JSON, in any cut into pieces."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Sequence
from random import Random
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigc_models.errors import BadInput
from aigc_models.language import grammar
from aigc_models.language.grammar import Match

BYTES = [bytes([value]) for value in range(256)]
PIECES = [*BYTES, b"ab", b"abc", b'{"', b'": ', b"\xc3\xa9e", b"\xa9", b"cat", b"true", b" \n"]
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "kind": {"enum": ["cat", "dog", None]},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 4}, "maxItems": 3},
    },
    "required": ["name", "age", "kind", "tags"],
    "additionalProperties": False,
}


def start(pieces: Sequence[bytes], **asked: Any) -> Match:
    match = grammar.grammar(pieces, **asked)
    assert match
    return match


def drawn(match: Match, pieces: Sequence[bytes], seed: int, most: int = 2000) -> str:
    """A text whose symbols are drawn from those that are allowed, all alike."""
    random, text, going = Random(seed), b"", match.copy()
    for _ in range(most):
        symbol = random.choice(going.allowed().nonzero()[0].tolist())
        going.add(symbol)
        if symbol == len(pieces):
            return text.decode()
        text += pieces[symbol]
    raise AssertionError("no end")


def fits(match: Match, symbols: Sequence[int], end: int) -> bool:
    """Whether these symbols and END are allowed, one after the other."""
    going = match.copy()
    for symbol in [*symbols, end]:
        if not going.allowed()[symbol]:
            return False
        going.add(symbol)
    return True


@pytest.mark.parametrize("pieces", [BYTES, PIECES])
@pytest.mark.parametrize(
    "pattern",
    [r"[a-c]{2,5}", r"(cat|dog)( (and|or) (cat|dog))?!", r"\d{4}-\d\d-\d\d", r"é+[^x\n]?", r"a?b?|c/d\\", r"(?i)abc", r""],
)
def test_what_is_drawn_is_matched_as_a_whole(pieces: list[bytes], pattern: str) -> None:
    match = start(pieces, regex=pattern)
    texts = {drawn(match, pieces, seed) for seed in range(20)}
    assert all(re.fullmatch(pattern, text) for text in texts)
    assert len(texts) > 1 or not pattern


@pytest.mark.parametrize("pieces", [BYTES, PIECES])
def test_json_that_is_drawn_keeps_to_its_schema(pieces: list[bytes]) -> None:
    match, validator = start(pieces, json_schema=PERSON), jsonschema.validators.validator_for(PERSON)(PERSON)
    texts = [drawn(match, pieces, seed) for seed in range(20)]
    assert [text for text in texts if not validator.is_valid(json.loads(text))] == []


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), st.text(max_size=12), st.randoms())
@settings(max_examples=60, deadline=None)
def test_a_literal_allows_itself_in_any_cut_and_nothing_else(text: str, other: str, random: Random) -> None:
    match, numbers = start(PIECES, regex=re.escape(text)), {piece: number for number, piece in enumerate(PIECES)}

    def cut(payload: bytes) -> list[int]:
        symbols = []
        while payload:
            size = random.choice([size for size in (1, 2, 3, 4) if payload[:size] in numbers and size <= len(payload)])
            symbols.append(numbers[payload[:size]])
            payload = payload[size:]
        return symbols

    assert fits(match, cut(text.encode()), len(PIECES))
    if other != text:
        assert not fits(match, cut(other.encode("utf-8", "surrogatepass")), len(PIECES))


def _joined(one: str, other: str) -> str:
    return f"({one}|{other})?{other}" if len(one) % 2 else f"(({one})*{other}){{1,3}}"


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]"])
PATTERNS = st.recursive(ATOMS, lambda inner: st.builds(_joined, inner, inner), max_leaves=6)


@given(PATTERNS, st.data())
@settings(max_examples=60, deadline=None)
def test_allowed_is_what_python_matches(pattern: str, data: st.DataObject) -> None:
    text = data.draw(st.text("abc", max_size=6))
    assert fits(start(BYTES, regex=pattern), text.encode(), 256) == bool(re.fullmatch(pattern, text))


def test_end_stands_where_the_match_is_complete_and_alone_where_nothing_can_follow() -> None:
    going = start(BYTES, regex="ab?").copy()
    assert going.allowed().nonzero()[0].tolist() == [97]
    going.add(97)
    assert going.allowed().nonzero()[0].tolist() == [98, 256]
    other = going.copy()
    going.add(98)
    assert going.allowed().nonzero()[0].tolist() == [256]
    assert other.allowed().nonzero()[0].tolist() == [98, 256], "a copy goes its own way"
    going.add(256)
    assert going.allowed().nonzero()[0].tolist() == [256]
    assert going.failure is None


def test_nothing_but_utf8_is_allowed() -> None:
    allowed = start(BYTES, regex=r"[\s\S]*").allowed()
    assert np.flatnonzero(~allowed).tolist() == [*range(0x80, 0xC2), *range(0xF5, 0x100)]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"regex": "["}, "regex: unclosed character class"),
        ({"regex": "a\\"}, "regex: ends in a backslash"),
        ({"regex": r"(?P<x>a)\1"}, "regex: backreferences are not supported"),
        ({"regex": r"a\b"}, "lookarounds not supported"),
        ({"regex": "[a&&b]"}, "regex: there is no text that it allows"),
        ({"regex": "\ud800"}, "regex: surrogates not allowed"),
        ({"regex": "a" * 70_000}, "regex: 70000 characters, at most 65536"),
        ({"json_schema": {"type": "objekt"}}, "json_schema: Invalid type: objekt"),
        ({"json_schema": {"items": {"type": "integer", "multipleOf": 999983}}}, "multipleOf: all of them together are 999983"),
        ({"json_schema": {"not": {}}}, 'json_schema: Unimplemented keys: ["not"]'),
        ({"json_schema": {"type": "integer", "minimum": 5, "maximum": 3}}, "minimum (5) is greater than maximum (3)"),
        ({"json_schema": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}}, "there is no text"),
        ({"json_schema": {"$ref": "https://example.com/schema"}}, "json_schema: Resource"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_line(asked: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadInput, match=re.escape(reason)) as caught:
        grammar.grammar(BYTES, **asked)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "pattern", ["(a{1000}){1000}", "a{1000000}", "(x?x?){2000}(.*a.{300})*", "(((((a{50}){50}){50}){50}){50})"]
)
def test_a_pattern_that_stands_for_much_is_not_written_out(pattern: str) -> None:
    going = start(BYTES, regex=pattern).copy()
    for _ in range(200):
        going.add(97)
        assert going.allowed()[97]


def test_a_pattern_that_grows_beyond_all_bounds_ends_the_text_and_says_so() -> None:
    going = start(BYTES, regex="((a{1,100}){1,100}){1,100}").copy()
    while going.allowed()[97]:
        going.add(97)
    assert going.allowed().nonzero()[0].tolist() == [256]
    assert str(going.failure).startswith("regex: cannot be followed any further: lexer error")


def test_a_schema_says_itself_what_stands_between_its_parts() -> None:
    match = start(BYTES, json_schema={**PERSON, "x-guidance": {"whitespace_flexible": False}})
    for seed in range(5):
        text = drawn(match, BYTES, seed)
        assert text == json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False) or "\\" in text
    assert set(string.whitespace) & set(drawn(start(BYTES, json_schema=PERSON), BYTES, 0))


def test_the_same_grammar_is_compiled_once() -> None:
    assert start(BYTES, regex="a+") is start(list(BYTES), regex="a+")
    assert start(PIECES, regex="a+") is not start(BYTES, regex="a+")
    assert grammar.grammar(BYTES) is None
