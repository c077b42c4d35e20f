"""The guarantee: every run of 50 characters is told, wherever it lies, and none of fewer than 40."""

import random
from itertools import pairwise

import numpy as np
import pytest

from aigc_models.fingerprints import winnowing
from aigc_models.fingerprints.winnowing import COMMON, PIECE, RUN, code, hashes, kept

DRAW = random.Random(3)
LETTERS = "abcdefgh ijklmnop, qrstuvwxyz. äéß 文字😀"
TEXTS = ["".join(DRAW.choices(LETTERS, k=DRAW.randrange(0, 400))) for _ in range(120)]


def other(size: int) -> str:
    return "".join(DRAW.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=size))


@pytest.fixture(scope="module")
def runs() -> winnowing.TrainingRuns:
    return kept(TEXTS)


def test_every_run_of_fifty_characters_is_told(runs: winnowing.TrainingRuns) -> None:
    for text in TEXTS:
        for at in range(0, len(text) - RUN + 1, 7):
            assert runs.hold(hashes(other(13) + text[at : at + RUN] + other(9))).any()


def test_shorter_runs_than_a_piece_and_other_texts_are_not(runs: winnowing.TrainingRuns) -> None:
    mixed = "".join(other(3) + text[: PIECE - 1] for text in TEXTS)
    assert not runs.hold(hashes(mixed)).any()
    assert not runs.hold(hashes(other(50_000))).any()
    assert len(hashes("a" * (PIECE - 1))) == 0


def test_few_hashes_are_kept_and_none_that_reaches_over_the_end_of_an_item(runs: winnowing.TrainingRuns) -> None:
    assert len(runs.pieces) < sum(map(len, TEXTS)) / 4
    assert not runs.hold(hashes("".join(text[-20:] + following[:20] for text, following in pairwise(TEXTS)))).any()


def test_what_many_items_hold_is_left_out_and_what_stands_around_it_is_not() -> None:
    common = "this sentence is at the end of each of the letters, whoever wrote it."
    texts = [other(70) for _ in range(COMMON)]
    letters = kept([f"{text} {common}" for text in texts])
    assert not letters.hold(hashes(common)).any()
    assert all(letters.hold(hashes(text)).any() for text in texts)
    assert kept([f"{text} {common}" for text in texts[1:]]).hold(hashes(common)).any(), "ten items are not many"
    assert kept([common * (COMMON + 1)]).hold(hashes(common)).any(), "nor is one that says it often"


@pytest.mark.parametrize("cycle", [" ", "-", "=-", "* ", "0123456\n"])
def test_what_goes_round_is_nobodys_text(cycle: str) -> None:
    assert len(kept([cycle * 60]).pieces) == 0
    assert len(kept([cycle * 10 + other(60)]).pieces) > 0


def test_it_is_the_same_whatever_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*TEXTS, *[TEXTS[5]] * COMMON]
    whole = kept(texts).pieces
    monkeypatch.setattr(winnowing, "AT_ONCE", 1000)
    monkeypatch.setattr(winnowing, "IN_ORDER", 5000)
    assert np.array_equal(kept(texts).pieces, whole)
    assert len(kept([]).pieces) == len(kept(["", "short"]).pieces) == 0


def test_a_number_that_few_items_hold_is_known_again_and_cannot_be_read() -> None:
    texts = ["the code is 271828182", *[f"call 0800123456 now, {at}" for at in range(COMMON)], "of 1999 and 2004"]
    runs = kept(texts)
    assert runs.numbers == {code("271828182")}
    assert max(runs.numbers) < 2**24, "each of a thousand million numbers shares its code with dozens"
