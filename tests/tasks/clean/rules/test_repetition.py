"""The rule `repetition`."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import repetition
from tasks.clean.rules.repetition import most_frequent_share, repeated_run_share, repeated_share

SETTINGS = repetition.Settings()
VARIED = [f"{word}{at}" for at in range(12) for word in ("the", "house", "stands", "near", "a", "river", "of", "stones")]


def text(words: list[str], width: int = 8) -> str:
    return "\n".join(" ".join(words[at : at + width]) for at in range(0, len(words), width))


def reason(content: str) -> str | None:
    outcome = repetition.apply(Item(content, "a", "text"), SETTINGS)
    return outcome.reason if isinstance(outcome, Rejected) else None


def test_prose_passes() -> None:
    assert reason(text(VARIED)) is None


def test_short_texts_are_not_judged() -> None:
    assert reason("la la la\n" * 16) is None
    assert reason("la la la\n" * 17) is not None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (text(VARIED) + "\nBuy now!" * 8, "35% of its lines stood there before; the limit is 30%"),
        (text(VARIED) + f"\n{' '.join(VARIED[:40])}" * 2, "of its characters are in lines that"),
        (text(VARIED) + "\n\nA\nB" * 2, "33% of its paragraphs stood there before"),
        (" ".join(f"{word} cookie policy" for word in VARIED), "of its characters are in one run of 2 words"),
        (" ".join([*VARIED, *VARIED[20:50]]), "of its characters are in repeated runs of 5 words"),
        (" ".join([*VARIED, *VARIED[20:32]]), "of its characters are in repeated runs of 10 words"),
    ],
)
def test_what_repeats_itself_is_rejected(content: str, expected: str) -> None:
    assert expected in (reason(content) or "passed")


def test_shares_against_counting_by_hand() -> None:
    assert repeated_share(["aa", "b", "aa"], characters=True) == pytest.approx(2 / 5)
    words = ["a", "b", "c", "a", "b", "d", "a", "b"]
    sizes = np.ones(len(words))
    assert most_frequent_share(words, sizes, 2) == 6 / 8
    assert repeated_run_share(words, sizes, 2) == 4 / 8  # both later "a b"
    assert repeated_run_share(["a", "b", "c", "d"], np.ones(4), 2) == 0


def test_random_runs_against_the_plain_definition() -> None:
    draw = random.Random(0)
    for _ in range(50):
        words = [draw.choice("abc") * draw.randint(1, 3) for _ in range(30)]
        covered = {
            at + step
            for at in range(26)
            for step in range(5)
            if any(words[at : at + 5] == words[before : before + 5] for before in range(at))
        }
        sizes = np.array([len(word) for word in words])
        expected = sum(len(words[at]) for at in covered) / sizes.sum()
        assert repeated_run_share(words, sizes, 5) == pytest.approx(expected)
