"""The contract of every family that learns symbols, whatever they stand for: text, tunes, histories."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from aigc_models import heads
from aigc_models.capabilities import Batches, Encodes, Fits, Learns, Mean, Scores, Shape, Streams, Validates
from aigc_models.corpus import Corpus
from aigc_models.find import find, names
from aigc_models.language import decoding, reading
from aigc_models.language.beam import Search
from aigc_models.language.slots import Draft
from aigc_models.language.states import prefilled, states_of
from aigc_models.language.vocabulary import symbolic, vocabulary_of
from aigc_models.modalities import events, text
from aigc_models.sequences import PAD, Sequences
from aigc_models.training.optimisers import Optimiser
from aigc_models.training.randomness import seeded

FAMILIES = [name for name in names("aigc_models.families") if symbolic() <= find("aigc_models.families", name).MODALITIES]
FAMILIES.remove("constant")  # it is asked other tasks
ENSEMBLES = [
    name
    for name in names("aigc_models.ensembles")
    if symbolic() <= (method := find("aigc_models.ensembles", name)).MODALITIES and heads.GENERATE in heads.of(method)
]
LABELS = ("a", "b")
SHAPES = {
    "bytes": Shape("text", LABELS, text.Format(length=32)),
    "notes": Shape("events", LABELS, events.Format(kind="notes", length=32, grid=2)),
    "items": Shape("events", LABELS, events.Format(kind="history", length=32, items=tuple(map(str, range(900))))),
}


@dataclass(frozen=True)
class Case:
    shape: Shape
    train: Corpus
    model: Any

    @property
    def end(self) -> int:
        return vocabulary_of(self.shape).end

    def corpus(self, items: list[list[int]], conditions: list[int]) -> Corpus:
        return Corpus(self.shape.modality, Sequences.of([*item, self.end] for item in items), np.array(conditions))


def of(kind: str) -> Corpus:
    """Items that count upwards in a circle from 60 to 64; of the label 1 from 70 to 74."""
    shape, random = SHAPES[kind], np.random.default_rng(0)
    items = [60 + (np.arange(random.integers(3, 12)) + random.integers(5)) % 5 for _ in range(60)]
    turned = [item + 10 * (at % 2) for at, item in enumerate(items)]
    return Corpus(
        shape.modality, Sequences.of([*item, vocabulary_of(shape).end] for item in turned), np.arange(60, dtype=np.int64) % 2
    )


@cache
@torch.inference_mode(False)
def case(name: str, kind: str) -> Case:
    """Of each family a debug model that has learnt a little, and of those that stream each kind of ensemble."""
    if name in ENSEMBLES:
        members, train = {each: case(each, kind).model for each in STREAMING}, of(kind)
        method = find("aigc_models.ensembles", name)
        return Case(SHAPES[kind], train, method.fit(members, train, train, SHAPES[kind], method.Settings(), 0, print))
    family, train = find("aigc_models.families", name), of(kind)
    with seeded(0):
        model = family.build(family.SIZES["debug"], SHAPES[kind])
    if isinstance(model, Fits):
        model.fit(train, train, lambda *args, **figures: None)
    else:
        learn(model, train, 60)
    return Case(SHAPES[kind], train, model)


@torch.enable_grad()
def learn(model: Any, train: Corpus, steps: int) -> None:
    (player,) = model.players()
    optimiser, batches = Optimiser(player), model.batches(train, 0, 0)
    model.train()
    for step in range(steps):
        optimiser.clear()
        loss = player.loss(batches(step))
        (loss.value if isinstance(loss, Mean) else loss).backward()
        optimiser.step(2e-2, 2e-2)
    model.eval()


def streams(name: str) -> bool:
    family = find("aigc_models.families", name)
    return isinstance(family.build(family.SIZES["debug"], SHAPES["bytes"]), Streams)


STREAMING = [name for name in FAMILIES if streams(name)]
EVERY = [(name, kind) for name in FAMILIES for kind in SHAPES]
STREAMS = [(name, kind) for name in [*STREAMING, *ENSEMBLES] for kind in SHAPES]


@pytest.mark.parametrize(("name", "kind"), STREAMS)
@torch.no_grad()
def test_what_is_scored_is_what_is_streamed_however_it_is_fed(name: str, kind: str) -> None:
    """Symbol by symbol, in parts of any size, and beyond the window of those that have one."""
    given = case(name, kind)
    model, items = given.model, [[60, 61, 62] * 15, [63], []]
    assert isinstance(model, Streams)
    assert isinstance(model, Scores)
    batch = given.corpus(items, [0, 1, 2]).batch(np.arange(3))
    scores = model.log_likelihood(batch)
    inputs = reading.shifted(batch.values, given.end)
    for parts in ([1] * 46, [7, 1, 30, 8], [46]):
        state, first = model.begin(batch.conditions), 0
        for size in parts:
            said, state = model.extend(state, inputs[:, first : first + size])
            if size == 1:
                again, _ = model.advance(model.begin(batch.conditions), inputs[:, 0])
                assert first or torch.allclose(said[:, 0], again, atol=1e-5)
            assert torch.allclose(said.exp().sum(-1), torch.ones(3, size), atol=1e-4)
            symbols = batch.values[:, first : first + size]
            there = symbols != PAD
            assert torch.allclose(reading.of_symbols(said, symbols)[there], scores[:, first : first + size][there], atol=2e-4)
            first += size
    assert (scores[batch.values == PAD] == 0).all()


@pytest.mark.parametrize(("name", "kind"), STREAMS)
@torch.no_grad()
def test_a_state_is_not_changed_and_some_rows_of_it_go_on_as_in_the_whole(name: str, kind: str) -> None:
    model, kept, end = case(name, kind).model, torch.tensor([4, 0, 2]), case(name, kind).end
    state, tokens = model.begin(torch.tensor([0, 1, 2, 0, 1])), torch.full((5,), end)
    for symbol in (60, 61, 62):
        said, after = model.advance(state, tokens)
        again, _ = model.advance(state, tokens)
        assert torch.equal(said, again)
        state, tokens = after, torch.tensor([symbol, 60, 61, 62, 63])
    fewer = decoding.rows(state, kept)
    for _ in range(3):
        whole, state = model.advance(state, tokens)
        part, fewer = model.advance(fewer, tokens[kept])
        assert torch.allclose(whole[kept], part, atol=1e-5)
        tokens = (tokens + 1 - 60) % 4 + 60


@pytest.mark.parametrize(("name", "kind"), STREAMS)
@torch.no_grad()
def test_no_symbol_knows_what_follows_it(name: str, kind: str) -> None:
    given = case(name, kind)
    one, two = given.corpus([[60, 61, 62, 63, 64, 60], [60, 61, 62, 60, 60, 60]], [0, 0]).batch(np.arange(2)).values
    scores = given.model.log_likelihood(given.corpus([one[:-1].tolist(), two[:-1].tolist()], [0, 0]).batch(np.arange(2)))
    assert torch.allclose(scores[0, :3], scores[1, :3], atol=1e-5)
    assert not torch.allclose(scores[0, 3:], scores[1, 3:], atol=1e-5)


@pytest.mark.parametrize(("name", "kind"), STREAMS)
@torch.no_grad()
def test_the_condition_is_worth_something_and_none_costs_less_than_a_wrong_one(name: str, kind: str) -> None:
    given = case(name, kind)
    if name == "cache":
        pytest.skip("looks at the item alone")
    item = [60, 61, 62, 63, 64, 60, 61]
    right, wrong, none = given.model.log_likelihood(given.corpus([item] * 3, [0, 1, 2]).batch(np.arange(3))).sum(1)
    assert right > none - 0.5
    assert none > wrong - 0.5
    assert right > wrong + 1


@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_weights_go_round_into_a_fresh_model(name: str, kind: str) -> None:
    given = case(name, kind)
    family = find("aigc_models.families", name)
    other = family.build(family.SIZES["debug"], given.shape)
    other.load_state_dict(given.model.state_dict())
    batch = given.train.batch(np.arange(8))
    if hasattr(other, "eval"):
        other.eval()
    with torch.no_grad():
        if isinstance(other, Scores):
            assert torch.allclose(other.log_likelihood(batch), given.model.log_likelihood(batch), atol=1e-4)
        else:
            assert torch.allclose(other.embed(batch), given.model.embed(batch), atol=1e-5)


@pytest.mark.parametrize(("name", "kind"), EVERY)
@torch.no_grad()
def test_vectors_of_items_depend_on_neither_padding_nor_label(name: str, kind: str) -> None:
    given = case(name, kind)
    if not isinstance(given.model, Encodes):
        pytest.skip("says nothing of whole items")
    alone = given.model.embed(given.corpus([[60, 61, 62]], [0]).batch(np.arange(1)))
    beside = given.model.embed(given.corpus([[60, 61, 62], [60, 61] * 20], [1, 1]).batch(np.arange(2)))[:1]
    assert alone.ndim == 2
    assert torch.allclose(alone, beside, atol=1e-5)


@pytest.mark.parametrize(("name", "kind"), EVERY)
@torch.no_grad()
def test_the_validation_loss_is_of_whole_items_and_the_same_each_time(name: str, kind: str) -> None:
    given = case(name, kind)
    if not isinstance(given.model, Learns):
        pytest.skip("is not trained by steps")
    assert isinstance(given.model, Validates)
    assert isinstance(given.model, Batches)
    batch = given.train.batch(np.arange(20))
    loss = given.model.validation_loss(batch)
    torch.rand(3)
    assert torch.equal(loss, given.model.validation_loss(batch))
    if isinstance(given.model, Scores):
        expected = -given.model.log_likelihood(batch).sum() / (batch.values != PAD).sum()
        assert torch.isclose(loss, expected)
    assert float(loss) < 2.5  # some 60 steps on five symbols


@pytest.mark.parametrize(("name", "kind"), STREAMS)
@torch.no_grad()
def test_an_item_that_is_drawn_depends_on_its_own_seed_and_condition(name: str, kind: str) -> None:
    model = case(name, kind).model
    several = decoding.generate(model, torch.tensor([0, 1, 0]), torch.tensor([5, 6, 7]), [[], [60], []], max_length=16)
    alone = decoding.generate(model, torch.tensor([1]), torch.tensor([6]), [[60]], max_length=16)
    there = alone[0] != PAD
    assert several[1, : len(alone[0])][there].tolist() == alone[0][there].tolist()


@pytest.mark.parametrize(("name", "kind"), STREAMS)
@torch.inference_mode()
def test_slots_hold_items_at_places_of_their_own(name: str, kind: str) -> None:
    """Beginning at different times, some with a prompt, moved from slot to slot, beyond the window."""
    given, length = case(name, kind), 90
    symbols = 60 + torch.randint(5, (4, length), generator=torch.Generator().manual_seed(1))
    symbols[:, 0] = given.end
    conditions = torch.tensor([0, 1, 2, 0])
    expected, _ = given.model.extend(given.model.begin(conditions), symbols)
    states, slots, places = states_of(given.model, 6), [5, 0, 3, 2], [0, 0, 0, 0]
    for time in range(length):
        fed = torch.full((6,), given.end)
        for item, slot in enumerate(slots):
            if time == 7 * item:
                places[item] = 5 * item or 1
                read = symbols[item : item + 1, : places[item]]
                _, state = given.model.extend(given.model.begin(conditions[item : item + 1]), read)
                states.put(slot, state)
            if time == 50 + item and item in (0, 3):
                state = states.take(slot)
                states.free(slot)
                slots[item] = slot = (slot + 5) % 6 if item else 4
                states.put(slot, state)
            if time >= 7 * item and places[item] < length:
                fed[slot] = symbols[item, places[item]]
        said = states.step(fed)
        for item, slot in enumerate(slots):
            if time >= 7 * item and places[item] < length:
                assert torch.allclose(said[slot], expected[item, places[item]], atol=2e-4)
                places[item] += 1


@pytest.mark.parametrize(("name", "kind"), STREAMS)
@torch.inference_mode()
def test_a_prompt_that_is_read_for_its_state_alone_is_gone_on_from_as_one_that_is_scored(name: str, kind: str) -> None:
    given = case(name, kind)
    symbols = 60 + torch.randint(5, (2, 50), generator=torch.Generator().manual_seed(2))
    symbols[:, 0] = given.end
    begun = given.model.begin(torch.tensor([0, 2]))
    expected, _ = given.model.extend(begun, symbols)
    state = prefilled(given.model, prefilled(given.model, begun, symbols[:, :41]), symbols[:, 41:45])
    rest, _ = given.model.extend(state, symbols[:, 45:])
    assert torch.allclose(rest, expected[:, 45:], atol=2e-4)


@pytest.mark.parametrize(("name", "kind"), STREAMS)
@torch.inference_mode()
def test_what_is_said_in_a_slot_is_the_same_to_the_bit_whoever_rides_along(name: str, kind: str) -> None:
    given = case(name, kind)
    symbols = 60 + torch.randint(5, (100,), generator=torch.Generator().manual_seed(1))

    def said(slot: int, others: list[int]) -> Tensor:
        states, random, rows = states_of(given.model, 6), torch.Generator().manual_seed(slot), []
        for time, symbol in enumerate(symbols):
            if time == 0:
                states.put(slot, given.model.begin(torch.tensor([1])))
            for other in others:
                if time % (7 + other) == 0:
                    fed = 60 + torch.randint(5, (1, 1 + 9 * other), generator=random)
                    states.put(other, given.model.extend(given.model.begin(torch.tensor([0])), fed)[1])
            fed = 60 + torch.randint(5, (6,), generator=random)
            fed[slot] = symbol
            rows.append(states.step(fed)[slot].clone())
        return torch.stack(rows)

    alone = said(0, [])
    assert torch.equal(alone, said(5, [0, 1, 2, 3, 4]))
    assert torch.equal(alone, said(2, [1, 5]))


@pytest.mark.parametrize(("name", "kind"), STREAMS)
@torch.no_grad()
def test_beams_carry_their_own_states(name: str, kind: str) -> None:
    """What a search says of a text is what the model says of it when it is fed alone; more beams find no worse."""
    given, totals, prompt, condition = case(name, kind), [], [60, 61], torch.tensor([0])
    rounding = 0.1 if name == "average" else 2e-3  # a confidence at the border of two intervals falls into either
    for beams in (1, 4, 24):
        draft = Draft(0, 0, prompt, decoding.sampling(max_length=12, beams=beams, length_penalty=0.0))
        search = Search(given.model, draft)
        search.run()
        for hypothesis in search.finished:
            fed = torch.tensor([[given.end, *prompt, *hypothesis.symbols[:-1]]])
            said, _ = given.model.extend(given.model.begin(condition), fed)
            symbols = torch.tensor([hypothesis.symbols])
            alone = said[:, len(prompt) :].gather(2, symbols[:, :, None]).double().sum()
            assert hypothesis.log_probability == pytest.approx(float(alone), abs=rounding)
        assert len({tuple(hypothesis.symbols) for hypothesis in search.finished}) == beams
        totals.append(search.finished[0].log_probability)
    assert totals[2] >= totals[0] - rounding


@pytest.mark.parametrize("name", [*STREAMING, *ENSEMBLES])
@torch.no_grad()
def test_with_all_beams_the_best_of_all_short_texts_is_found(name: str) -> None:
    given, most = case(name, "notes"), 2
    search = Search(given.model, Draft(0, 0, [60, 61], decoding.sampling(max_length=4, beams=64, length_penalty=0.0)))
    search.run()
    start, outputs = [given.end, 60, 61], given.model.vocabulary.outputs
    first, _ = given.model.extend(given.model.begin(torch.tensor([0])), torch.tensor([start]))
    fed = torch.tensor([[*start, symbol] for symbol in range(outputs) if symbol != given.end])
    second, _ = given.model.extend(given.model.begin(torch.zeros(len(fed), dtype=torch.int64)), fed)
    best = max(float(first[0, -1, given.end]), float((first[0, -1, fed[:, -1], None] + second[:, -1]).max()))
    assert search.finished[0].log_probability == pytest.approx(best, abs=2e-3)
    assert len(search.finished[0].symbols) <= most
