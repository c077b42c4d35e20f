"""Each rung by itself, and the loop: seeds, prompts, ends."""

import pytest
import torch
from torch import Tensor

from aigc_models import decoding
from aigc_models.capabilities import Shape
from aigc_models.errors import BadInput
from aigc_models.families import transformer
from aigc_models.modalities.text import END, PAD

LOG = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()


def kept(weights: Tensor) -> list[int]:
    return weights[0].isfinite().nonzero()[:, 0].tolist()


def model() -> transformer.Transformer:
    torch.manual_seed(0)
    return transformer.build(transformer.SIZES["debug"], Shape("text", ("a", "b"))).eval()


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


def test_an_item_depends_on_its_own_seed_and_condition_only() -> None:
    several = decoding.generate(model(), torch.tensor([0, 1, 0]), torch.tensor([5, 6, 7]), [b"", b"x", b"yy"], max_length=20)
    alone = decoding.generate(model(), torch.tensor([1]), torch.tensor([6]), [b"x"], max_length=20)
    there = alone[0] != PAD
    assert several[1, : len(alone[0])][there].tolist() == alone[0][there].tolist()
    assert not torch.equal(several[0], several[2])


def test_stream_gives_what_generate_gives() -> None:
    whole = decoding.generate(model(), torch.tensor([1]), torch.tensor([3]), [b"ab"], max_length=24, top_p=0.9)
    assert list(decoding.stream(model(), 1, 3, b"ab", max_length=24, top_p=0.9)) == whole[0].tolist()
    assert whole[0, :2].tolist() == [*b"ab"]


def test_after_the_end_there_is_padding() -> None:
    tokens = decoding.generate(model(), torch.zeros(64, dtype=torch.int64), torch.arange(64), [b""] * 64, max_length=100)
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
        decoding.generate(model(), torch.tensor([0]), torch.tensor([0]), [b"toolong"], max_length=4)
