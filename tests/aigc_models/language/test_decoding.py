"""Each rung by itself, and the loop: seeds, prompts, ends."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.errors import BadInput
from aigc_models.families import transformer
from aigc_models.language import decoding, grammar
from aigc_models.layers.noise import SYMBOLS, uniform
from aigc_models.modalities import text
from aigc_models.sequences import PAD, Vocabulary

BYTES = Vocabulary(256)
END = BYTES.end

LOG = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()


def kept(weights: Tensor) -> list[int]:
    return weights[0].isfinite().nonzero()[:, 0].tolist()


def model() -> transformer.Transformer:
    torch.manual_seed(0)
    return transformer.build(transformer.SIZES["debug"], Shape("text", ("a", "b"), text.Format(length=64))).eval()


def test_top_k() -> None:
    assert kept(decoding.keep_top_k(LOG, 2)) == [0, 1]
    assert kept(decoding.keep_top_k(LOG, 0)) == [0, 1, 2, 3]


@pytest.mark.parametrize(("p", "expected"), [(0.01, [0]), (0.5, [0]), (0.51, [0, 1]), (0.9, [0, 1, 2]), (1.0, [0, 1, 2, 3])])
def test_top_p_is_the_smallest_set_with_that_much(p: float, expected: list[int]) -> None:
    assert kept(decoding.keep_top_p(LOG, p)) == expected


def test_min_p_is_relative_to_the_likeliest() -> None:
    assert kept(decoding.keep_min_p(LOG, 0.29)) == [0, 1, 2]
    assert kept(decoding.keep_min_p(LOG, 0.5)) == [0, 1]


def test_temperature() -> None:
    assert kept(decoding.heat(LOG, 0.0)) == [0]
    assert torch.allclose(decoding.heat(LOG, 0.5).softmax(1), LOG.exp() ** 2 / (LOG.exp() ** 2).sum())


def test_typical_symbols_are_those_of_the_expected_surprise() -> None:
    likely = torch.tensor([[0.45, 0.25, 0.15, 0.1, 0.05]]).log()
    assert kept(decoding.keep_typical(likely, 0.2)) == [1]  # 1.39 nats, where 1.37 are expected
    assert kept(decoding.keep_typical(likely, 0.3)) == [1, 2]  # 1.90 nats are nearer than the 0.80 of the likeliest
    assert kept(decoding.keep_typical(likely, 1.0)) == [0, 1, 2, 3, 4]


def test_penalty_breaks_a_loop_and_leaves_other_symbols_as_they_are() -> None:
    loop = torch.full((1, 257), 0.01 / 256)
    loop[0, 97] = 0.99
    recent = torch.zeros(1, 257, dtype=torch.bool)
    recent[0, 97] = True
    after = decoding.penalise(loop.log(), recent, 1.3).softmax(1)
    assert after[0, 97] < 0.92
    assert torch.allclose(after[0, 98:100] * 256, (1 - after[0, 97]).expand(2), atol=1e-5)
    assert torch.equal(decoding.penalise(loop.log(), recent, 1.0), loop.log())
    shifted = decoding.penalise(loop.log() + 7, recent, 1.3).softmax(1)
    assert torch.allclose(shifted, after, atol=1e-5), "a model's own offset does not matter"


def test_penalty_makes_unlikely_recent_symbols_less_likely_too() -> None:
    after = decoding.penalise(LOG, torch.tensor([[True, False, False, True]]), 1.5)
    before = LOG - LOG.mean()
    assert torch.allclose(after, before * torch.tensor([1 / 1.5, 1.0, 1.0, 1.5]))


def test_counts_are_taken_from_the_logits() -> None:
    after = decoding.count_against(LOG, torch.tensor([[0.0, 1.0, 3.0, 0.0]]), frequency=0.5, presence=0.2)
    assert torch.allclose(LOG - after, torch.tensor([[0.0, 0.7, 1.7, 0.0]]), atol=1e-6)


def test_a_bias_is_added_to_its_symbols() -> None:
    after = decoding.add_bias(LOG.expand(2, -1), {3: 2.0, 0: -100.0})
    assert torch.equal(after - LOG, torch.tensor([[-100.0, 0.0, 0.0, 2.0]]).expand(2, -1))
    assert decoding.add_bias(LOG, {}) is LOG
    with pytest.raises(BadInput, match=r"logit_bias\.3"):
        decoding.sampling(logit_bias={3: 101})


def test_a_bias_bans_and_forces_symbols() -> None:
    how = decoding.sampling(logit_bias={0: -100, 3: 100})
    assert decoding.choose(LOG.expand(9, -1), torch.linspace(0.01, 0.99, 9), how).tolist() == [3] * 9


def test_what_holds_an_item_leaves_only_what_is_allowed_whatever_the_model_says() -> None:
    allowed = torch.tensor([[False, True, True, False], [False, False, True, True]])
    log = torch.tensor([[0.5, 0.4, 0.1, 0.0], [1.0, 0.0, 0.0, 0.0]]).log()
    held = decoding.hold(log, allowed).softmax(1)
    assert torch.allclose(held, torch.tensor([[0.0, 0.8, 0.2, 0.0], [0.0, 0.0, 0.5, 0.5]]))


@pytest.mark.parametrize(
    "given", [{"temperature": 0}, {"top_k": 1}, {"min_p": 0.5}, {"typical_p": 0.3}, {"no_repeat_ngram": 1}]
)
def test_no_option_leaves_anything_else(given: dict[str, float]) -> None:
    how = decoding.sampling(**given)
    past = decoding.Past(torch.ones(1, 4, dtype=torch.bool), torch.ones(1, 4), torch.ones(1, 4, dtype=torch.bool))
    allowed = torch.tensor([[False, False, True, True]])
    for quantile in (0.0, 0.5, 0.999):
        chosen = decoding.choose(LOG, torch.tensor([quantile]), how, past if how.looks_back else None, allowed)
        assert chosen.item() in (2, 3)


def test_texts_of_a_batch_are_held_after_their_prompts() -> None:
    start, prompts = grammar.grammar(text.pieces(text.Format(length=9)), "[ab]{3}|c+"), [list(b"xyz"), [], list(b"a")] * 4
    nothing, how = torch.zeros(12, dtype=torch.int64), {"max_length": 9, "regex": "[ab]{3}|c+"}
    for shrinking in (False, True):
        items = decoding.generate(model(), nothing, torch.arange(12), prompts, shrinking, start, **how)
        for item, prompt in zip(items.tolist(), prompts, strict=True):
            written = bytes(symbol for symbol in item[len(prompt) :] if symbol not in (END, PAD)).decode()
            assert item[: len(prompt)] == prompt
            assert re.fullmatch("[ab]{3}|c+", written)


def test_what_holds_a_text_has_to_be_known() -> None:
    with pytest.raises(BadInput, match="symbols stand for bytes"):
        decoding.generate(model(), torch.tensor([0]), torch.tensor([0]), [[]], regex="a")
    with pytest.raises(BadInput, match="not to both"):
        decoding.sampling(regex="a", json_schema={})


def test_history_knows_what_was_drawn_what_is_recent_and_what_would_repeat_a_run() -> None:
    how = decoding.sampling(no_repeat_ngram=3, repetition_window=3)
    history = decoding.History(how, 257, b"abcab")
    history.add(120)
    past = decoding.History.past([history])
    assert past.recent[0].nonzero()[:, 0].tolist() == [97, 98, 120]
    assert past.counts[0].nonzero()[:, 0].tolist() == [120], "the prompt was not drawn"
    assert not past.banned.any()
    for symbol in b"ab":
        history.add(symbol)
    assert decoding.History.past([history]).banned[0].nonzero()[:, 0].tolist() == [99, 120]


@pytest.mark.parametrize("given", [{"frequency_penalty": 2.0}, {"presence_penalty": 2.0}])
def test_penalties_make_texts_of_more_symbols(given: dict[str, float]) -> None:
    def symbols(**given: float) -> int:
        nothing, how = torch.zeros(8, dtype=torch.int64), {"max_length": 100, "temperature": 0.3}
        items = decoding.generate(model(), nothing, torch.arange(8), [[]] * 8, **how, **given)
        return sum(len(set(row) - {PAD}) for row in items.tolist())

    assert symbols(**given) > symbols() * 1.02


def test_no_run_stands_twice() -> None:
    how = {"max_length": 200, "temperature": 0.1, "no_repeat_ngram": 2}
    (text,) = decoding.generate(model(), torch.tensor([0]), torch.tensor([1]), [[97] * 4], **how)
    pairs = list(zip(text[3:-1].tolist(), text[4:].tolist(), strict=True))
    assert len(pairs) == len(set(pairs))


def test_random_numbers_are_those_of_the_noise_in_parts_of_any_size() -> None:
    draws, later = decoding.Draws(5), decoding.Draws(5, first=70)
    expected = uniform(torch.tensor([5]), 200, SYMBOLS, torch.float64)[0].tolist()
    assert [next(draws) for _ in range(200)] == expected
    assert [next(later) for _ in range(130)] == expected[70:]


def test_draw_follows_the_distribution_and_never_takes_what_was_left_out() -> None:
    uniform = (torch.arange(1000) + 0.5) / 1000
    drawn = decoding.draw(LOG.expand(1000, -1), uniform)
    assert torch.bincount(drawn).tolist() == [500, 300, 150, 50]
    weights = decoding.keep_top_k(LOG, 1).expand(2, -1)
    assert decoding.draw(weights, torch.tensor([0.0, 1 - 1e-16])).tolist() == [0, 0]


def test_after_the_end_there_is_padding() -> None:
    tokens = decoding.generate(model(), torch.zeros(64, dtype=torch.int64), torch.arange(64), [[]] * 64, max_length=100)
    ended = [row for row in tokens.tolist() if END in row]
    assert len(ended) > 3
    for row in ended:
        assert set(row[row.index(END) + 1 :]) <= {PAD}
    assert tokens.shape[1] <= 100


def test_bad_values_are_named() -> None:
    with pytest.raises(BadInput, match="temperature"):
        decoding.sampling(temperature=-1)
    with pytest.raises(BadInput, match="topp"):
        decoding.sampling(topp=0.5)
    with pytest.raises(BadInput, match="max_length=4"):
        decoding.generate(model(), torch.tensor([0]), torch.tensor([0]), [list(b"toolong")], max_length=4)


class Countdown:
    """Writes as many letters as the item's condition says, drawn by its seed, then END."""

    vocabulary = BYTES

    def __init__(self) -> None:
        self.widths: list[int] = []

    def begin(self, conditions: torch.Tensor) -> tuple[torch.Tensor, np.ndarray, None]:
        return conditions, conditions.numpy(), None

    def advance(self, state: Any, tokens: torch.Tensor) -> Any:
        left, again, nothing = state
        assert left.tolist() == again.tolist()
        self.widths.append(len(tokens))
        log = torch.full((len(left), 257), -torch.inf)
        log[:, 97:101] = torch.where(left > 0, 0.0, -torch.inf)[:, None]
        log[:, END] = torch.where(left > 0, -torch.inf, 0.0)
        return log, (left - 1, again - 1, nothing)

    def extend(self, state: Any, tokens: torch.Tensor) -> Any:
        raise NotImplementedError


def test_items_that_have_ended_leave_a_batch_that_may_shrink() -> None:
    lengths, seeds, prompts = torch.tensor([1, 9, 2, 3, 1, 2, 5, 3]), torch.arange(8), [[], [122, 122], *[[]] * 6]
    model, whole = Countdown(), Countdown()
    texts = decoding.generate(model, lengths, seeds, prompts, shrinking=True, max_length=12)
    assert (texts != PAD).sum(1).tolist() == [length + 1 for length in lengths.tolist()]
    assert texts[1, :2].tolist() == [122, 122]
    assert model.widths[0] == 8
    assert model.widths[-1] == 1
    assert sum(model.widths) < 8 * len(model.widths) / 2
    assert torch.equal(texts, decoding.generate(whole, lengths, seeds, prompts, max_length=12))
    assert set(whole.widths) == {8}, "what is served is the same to the bit, whatever stands beside it"
