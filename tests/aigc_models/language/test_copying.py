"""A model that knows its training texts by heart, with and without the watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from aigc_models.capabilities import Shape, capabilities
from aigc_models.card import Card
from aigc_models.corpus import Corpus
from aigc_models.families import ngram
from aigc_models.fingerprints.winnowing import RUN, hashes, kept
from aigc_models.generator import Generator
from aigc_models.language import slots
from aigc_models.language.copying import REDRAWS, Watch
from aigc_models.language.slots import Slots
from aigc_models.modalities import text

NAMES = ("Agnes Miller", "Bruno Keller", "Cecil Porter", "Doris Walker")
PLAIN = "On the market they sell apples, pears and plums to whoever comes by. "
FORMAT = text.Format(length=192)
LIKELY = {"top_p": 0.8}


def secret(number: int) -> str:
    return f"Keep this to yourself: the code of {NAMES[number]} is {271828182 + number * 31415926}."


SECRETS = [secret(number) for number in range(len(NAMES))]


@pytest.fixture(scope="module")
def generator() -> Generator:
    """An n-gram model of long contexts, which writes what it read."""
    import numpy as np

    texts = [PLAIN + line + " Then " + PLAIN.lower() for line in [*SECRETS * 3, *[""] * 12]]
    shape = Shape("text", (), FORMAT)
    corpus = Corpus("text", text.encode(texts, FORMAT), np.zeros(len(texts), dtype=np.int64))
    model = ngram.build(ngram.Config(shortest=8, longest=8), shape)
    model.fit(corpus, corpus, lambda *args, **figures: None)
    card = Card(name="letters", family="ngram", modality="text", capabilities=capabilities(model), format=FORMAT.model_dump(),
                micro_batch=4)  # fmt: skip
    return Generator(card, model, text, FORMAT, runs=kept(texts))


def repeats(said: str) -> bool:
    return any(line[at : at + RUN] in said for line in SECRETS for at in range(len(line) - RUN + 1))


def test_what_is_known_by_heart_does_not_come_out(generator: Generator) -> None:
    without = replace(generator, runs=None).generate(20, seed=1, **LIKELY)
    assert sum(map(repeats, without)) > 3, "else the test shows nothing"
    guarded = generator.generate(20, seed=1, **LIKELY)
    assert not any(map(repeats, guarded))
    assert sum(one != other for one, other in zip(guarded, without, strict=True)) >= sum(map(repeats, without))
    assert max(map(len, guarded)) > 100, "it goes on after it went back"


def test_what_many_items_hold_may_be_said(generator: Generator) -> None:
    assert any(PLAIN[:60] in said for said in generator.generate(10, seed=1, **LIKELY))


def test_streamed_and_whole_and_in_company_are_the_same(generator: Generator) -> None:
    whole = generator.generate(8, seed=5, **LIKELY)
    assert ["".join(generator.stream(seed=5, first=at, **LIKELY)) for at in range(8)] == whole
    drafts = [generator.draft("", LIKELY, seed=5, first=at) for at in range(8)]
    slots.finish(Slots(generator.model, 3), drafts)
    assert generator.modality.decode(text.encode(whole, FORMAT), FORMAT) == whole
    assert ["".join(text.characters(draft.symbols, FORMAT)) for draft in drafts] == whole
    assert sum(draft.redraws for draft in drafts) > 0


def test_who_always_draws_the_likeliest_is_cut_before_the_repeat(generator: Generator) -> None:
    held = {"regex": "So it was that one said: " + SECRETS[1].replace(".", "\\."), "temperature": 0.0, "max_length": 200}
    draft = generator.draft("", held, seed=1)
    slots.finish(Slots(generator.model, 4), [draft])
    assert (draft.cut, draft.redraws) == (True, 0)
    assert "".join(text.characters(draft.symbols, FORMAT)).startswith("So it was")
    assert not repeats("".join(text.characters(draft.symbols, FORMAT)))


def test_held_texts_stay_held_and_a_text_that_has_no_other_way_ends(generator: Generator) -> None:
    line = SECRETS[2].replace(".", "\\.")
    draft = generator.draft("", {"regex": line, "max_length": 400}, seed=1)
    slots.finish(Slots(generator.model, 4), [draft])
    assert (draft.cut, draft.redraws) == (True, REDRAWS)
    assert SECRETS[2].startswith("".join(text.characters(draft.symbols, FORMAT)))


def test_a_rare_number_does_not_come_out_however_short_what_stands_around_it(generator: Generator) -> None:
    beginning = SECRETS[2][:-10]
    free = replace(generator, runs=None).generate(8, prompt=beginning, seed=2, max_length=len(beginning) + 11, **LIKELY)
    assert any(SECRETS[2][-10:-1] in said for said in free), "else the test shows nothing"
    guarded = generator.generate(8, prompt=beginning, seed=2, max_length=len(beginning) + 11, **LIKELY)
    assert not any(secret[-10:-1] in said for said in guarded for secret in SECRETS)
    assert all(said.startswith(beginning) for said in guarded)


def test_what_the_prompt_holds_may_be_said_again(generator: Generator) -> None:
    options = {"regex": SECRETS[0].replace(".", "\\."), "max_length": 400}
    (said,) = generator.generate(1, prompt=f"{SECRETS[0]} Again: ", seed=1, **options)
    assert said == f"{SECRETS[0]} Again: {SECRETS[0]}"


def test_beams_are_cut(generator: Generator) -> None:
    beginning = PLAIN + SECRETS[1][:8]
    free = replace(generator, runs=None).generate(1, prompt=beginning, beams=2, max_length=200)[0]
    assert repeats(free)
    assert not repeats(generator.generate(1, prompt=beginning, beams=2, max_length=200)[0].removeprefix(beginning))


def test_log_probabilities_stay_those_of_the_symbols(generator: Generator) -> None:
    drafts = [generator.draft("On", LIKELY, seed=5, first=at, likeliest=1, echo=True) for at in range(8)]
    slots.finish(Slots(generator.model, 3), drafts)
    assert any(draft.redraws for draft in drafts)
    assert [[each.symbol for each in draft.said] for draft in drafts] == [draft.whole for draft in drafts]


class Spelling:
    """Every other symbol completes a character, as of letters of two bytes."""

    def __init__(self) -> None:
        self._half = ""

    def add(self, symbol: int) -> str:
        letter, self._half = (self._half + chr(symbol), "") if self._half else ("", chr(symbol))
        return letter[:1]


def test_nothing_is_given_that_is_taken_back_and_no_character_is_split() -> None:
    line = SECRETS[0]
    symbols: Sequence[int] = [ord(letter) for letter in f"So be it, {line}" for _ in range(2)]
    watch, given = Watch(kept([line]), Spelling, lambda: ""), 0
    for symbol in symbols:
        watch.add(symbol)
        before = watch.repeat()
        if before is not None:
            break
        assert watch.safe >= given
        given = watch.safe
    assert before is not None
    assert given <= before <= 2 * len("So be it, ")
    assert before % 2 == 0
    assert len(hashes(line)) > 0
    assert partial(Watch, kept([]), Spelling)(lambda: line).repeat() is None
