"""Texts made to cost time: every cleaning rule, and what is done to a text beside, takes time that grows with its length."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from aigc_models.find import find, names
from aigc_models.modalities import text
from tasks.clean.clean import PACKAGE, Item

LENGTH = 400_000  # characters
SURELY = 0.5  # seconds of computing; what takes less needs no second look
SHORTER, GROWTH = 8, 24  # a text that is so many times as long may take so many times as long; by the square it would be 64
PIECES = {
    "words": "word ",
    "bracket": "(",
    "at": "@",
    "digit": "1",
    "dotted": "a.",
    "dotted digits": "1.",
    "domains": "b.",
    "addresses": "a@b.c ",
    "spaced digits": "1 ",
    "colons": "1:",
    "phones": "+49 30 1234567 ",
    "accounts": "DE89 3704 0440 ",
    "cards": "4111-",
    "letters and digits": "AB12",
    "marks": "\u0301\u0323\u0489",
    "right to left": "\u202e",
    "joiners": "\u200d",
    "emoji": "\U0001f468\u200d",
    "mojibake": "Ã©",
    "mojibake of quotes": "â€™",
    "deep mojibake": "ÃÂÃÂÂ©",
    "replaced": "\ufffd",
    "entities": "&amp;",
    "tags": "<a ",
    "newlines": "\n",
    "blanks": " ",
    "blank lines": "\n ",
    "terminal": "\x1b[",
    "controls": "\x01",
    "jamo": "\u1100\u1161\u11a8",
    "composed": "\u0344",
    "addresses of pages": "http://a.b/",
    "dashes": "-",
    "quotes": '"',
    "han": "漢字",
}
SETTINGS: dict[str, dict[str, Any]] = {
    "language": {"languages": ["en"]},
    "word_list": {"words": ["foo", "a b", "bar baz", "((("]},
    "wanted_script": {"scripts": ["Latin"]},
}
RULES = [name for name in names(PACKAGE) if "text" in find(PACKAGE, name).MODALITIES]
STEPS: dict[str, Callable[[str], Any]] = {
    function.__name__: function for function in (text.validate, text.normalise, text.fingerprint, text.traits)
}


def texts() -> dict[str, str]:
    found = {name: piece * (LENGTH // len(piece)) for name, piece in PIECES.items()}
    numbers = [str(at) for at in range(LENGTH // 7)]
    found |= {"all different": " ".join(numbers), "lines": "\n".join(numbers), "one mark after another": "a" + found["marks"]}
    return found | {"blanks inside": f"x{' ' * LENGTH}x", "nearly an address": f"a@{found['domains']}"}


def seconds(step: Callable[[str], Any], made: str) -> float:
    began = time.process_time()
    step(made)
    return time.process_time() - began


def slow(step: Callable[[str], Any]) -> dict[str, float]:
    """The texts for which a step takes too many times as long as for a part of them, and how many times.

    A ratio, since a limit in seconds would judge the machine.
    """
    found = {}
    for name, made in texts().items():
        if (whole := seconds(step, made)) > SURELY:
            times = whole / min(seconds(step, made[: len(made) // SHORTER]) for _ in range(3))
            if times > GROWTH:
                found[name] = times
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_no_rule_takes_long(name: str) -> None:
    rule = find(PACKAGE, name)
    settings = rule.Settings(**SETTINGS.get(name, {}))
    assert slow(lambda made: rule.apply(Item(made, "a.txt", "text"), settings)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", STEPS)
def test_nothing_that_is_done_beside_takes_long(name: str) -> None:
    assert slow(STEPS[name]) == {}
