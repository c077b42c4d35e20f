"""Each rung by itself, and the loop: seeds, prompts, ends."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.errors import BadInput
from aigc_models.families import transformer
from aigc_models.language import decoding
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


def test_penalty_lowers_recent_symbols_only() -> None:
    weights = decoding.penalise(LOG, torch.tensor([[0, 0, 2]]), 1.5)
    assert torch.allclose(weights, LOG * torch.tensor([1.5, 1.0, 1.5, 1.0]))


def test_draw_follows_the_distribution_and_never_takes_what_was_left_out() -> None:
    uniform = (torch.arange(1000) + 0.5) / 1000
    drawn = decoding.draw(LOG.expand(1000, -1), uniform)
    assert torch.bincount(drawn).tolist() == [500, 300, 150, 50]
    weights = decoding.keep_top_k(LOG, 1).expand(2, -1)
    assert decoding.draw(weights, torch.tensor([0.0, 1 - 1e-16])).tolist() == [0, 0]


def test_stream_gives_what_generate_gives() -> None:
    whole = decoding.generate(model(), torch.tensor([1]), torch.tensor([3]), [list(b"ab")], max_length=24, top_p=0.9)
    assert list(decoding.stream(model(), 1, 3, list(b"ab"), max_length=24, top_p=0.9)) == whole[0].tolist()
    assert whole[0, :2].tolist() == [*b"ab"]


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
