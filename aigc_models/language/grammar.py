"""Texts held to a regular expression, a JSON schema or the grammar of Python: which symbols may come next, by `llguidance`.

A symbol may come next where the bytes that it stands for can be completed to a text of the grammar (Willard and Louf 2023,
with a parser in place of tables: nothing is built beforehand for the whole vocabulary).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from aigc_models.errors import BadInput
from aigc_models.language import python_body

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLTokenizer

WHITESPACE = r" |\n {0,32}"  # between the parts of JSON: what writers of it put there, and a model cannot go on with for ever
SPACED = {"x-guidance": {"whitespace_pattern": WHITESPACE}}  # unless the schema has settings of its own for the library
STATES = 100_000  # of a lexer, some 40 MB; a pattern that needs more is refused
LONGEST = 65_536  # characters of an expression or schema: up to half a second to read, and much longer beyond
MULTIPLES = 100_000  # of all `multipleOf` together, trailing zeros left out: a remainder is a state, a second for so many
EVERY_SPLIT = '%llguidance {"no_forcing": true}\n'  # a text may be cut into symbols in any way, not as its tokeniser would


class Match:
    """A text on its way."""

    def __init__(self, matcher: LLMatcher, option: str, outputs: int) -> None:
        self._matcher, self._option, self._outputs = matcher, option, outputs
        self.failure: BadInput | None = None  # why it cannot be followed any further

    def allowed(self) -> Bool[np.ndarray, " symbol"]:
        """The symbols that may come next, END where the text is complete; END alone where it cannot be followed."""
        mask = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        if self._matcher.is_error():
            self.failure = BadInput(f"{self._option}: cannot be followed any further: {_reason(self._matcher.get_error())}")
            return np.arange(self._outputs) == self._outputs - 1
        return np.unpackbits(mask, count=self._outputs, bitorder="little").astype(bool)

    def add(self, symbol: int) -> None:
        """One of those that were allowed."""
        self._matcher.consume_token(symbol)

    def copy(self) -> Match:
        """Another one that goes on from here."""
        return Match(self._matcher.deep_copy(), self._option, self._outputs)

    @property
    def empty(self) -> bool:
        """Whether no text of the grammar begins like this."""
        return not self.allowed()[:-1].any() and not self._matcher.is_accepting()


def grammar(
    pieces: Sequence[bytes],
    regex: str | None = None,
    json_schema: Mapping[str, Any] | None = None,
    language: Literal["python"] | None = None,
) -> Match | None:
    """The beginning of every text that is held to one of them; none where nothing is asked for. A text goes on from a `copy`.

    `pieces`: what the symbols stand for, without END, which follows them. `language`: the text is the body of a function.
    Raises `BadInput` where it cannot be used.
    """
    if language:
        return _compiled("grammar", python_body.grammar(), tuple(pieces))
    if regex is not None:
        if (len(regex) - len(regex.rstrip("\\"))) % 2:
            raise BadInput("regex: ends in a backslash that escapes nothing")
        return _compiled("regex", regex, tuple(pieces))
    return None if json_schema is None else _compiled("json_schema", json.dumps({**SPACED, **json_schema}), tuple(pieces))


@lru_cache(maxsize=32)
def _compiled(option: str, asked: str, pieces: tuple[bytes, ...]) -> Match:
    from llguidance import LLMatcher, LLParserLimits, regex_to_lark

    if len(asked) > LONGEST:
        raise BadInput(f"{option}: {len(asked)} characters, at most {LONGEST}")
    if option == "json_schema" and _remainders(asked) > MULTIPLES:
        raise BadInput(f"json_schema: multipleOf: all of them together are {_remainders(asked)}, at most {MULTIPLES}")
    try:
        rule = f"start: /{regex_to_lark(asked, 'd')}/" if option == "regex" else f"start: %json {asked}"
        rule = asked if option == "grammar" else rule
        limits = LLParserLimits(max_lexer_states=STATES, verbose_errors=False)
        matcher = LLMatcher(_tokenizer(pieces), f"{EVERY_SPLIT}{rule}", log_level=0, limits=limits)
    except UnicodeEncodeError as error:
        raise BadInput(f"{option}: {error.reason} (position {error.start})") from error
    if matcher.is_error():
        raise BadInput(f"{option}: {_reason(matcher.get_error())}")
    start = Match(matcher, option, len(pieces) + 1)
    if start.copy().empty:
        raise BadInput(f"{option}: there is no text that it allows")
    return start


def _remainders(schema: str) -> int:
    """How many the numbers of a schema may leave when they are divided by its `multipleOf`."""
    digits = re.findall(r'"multipleOf": ([\d.]+)', schema)
    return sum(int(each.replace(".", "").rstrip("0") or 0) for each in digits if each.count(".") < 2)


class _Pieces:
    """A vocabulary as the library wants it."""

    bos_token_id = None

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.tokens, self.eos_token_id, self.special_token_ids = [*pieces, b""], len(pieces), [len(pieces)]

    def __call__(self, text: bytes) -> list[int]:
        raise NotImplementedError("it is not asked to cut texts")


@lru_cache(maxsize=8)
def _tokenizer(pieces: tuple[bytes, ...]) -> LLTokenizer:
    from llguidance import LLTokenizer, TokenizerWrapper

    return LLTokenizer(TokenizerWrapper(_Pieces(pieces)))


def _reason(message: str) -> str:
    """The one line of the library's message that says what is wrong."""
    if reason := re.search(r"^error: (.*)", message, re.MULTILINE):
        return reason[1]
    return re.sub(r"^at \d+\(\d+\): |failed to compile JSON schema: ", "", message).split("\n")[0]


def allowed(matches: Sequence[Match]) -> Bool[Tensor, "item symbol"]:
    """What may come next in each of several texts."""
    return torch.from_numpy(np.stack([match.allowed() for match in matches]))
