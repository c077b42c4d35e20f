"""Hides what it should, guesses from both sides, ignores labels and padding."""

import numpy as np
import torch

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Corpus
from aigc_models.families import masked_lm
from aigc_models.modalities import text
from aigc_models.sequences import PAD
from aigc_models.training.optimisers import Optimiser

SHAPE = Shape("text", ("a", "b"), text.Format(length=64))


def corpus(texts: list[str]) -> Corpus:
    return Corpus("text", text.encode(texts, SHAPE.format), np.zeros(len(texts), dtype=np.int64))


def built() -> masked_lm.MaskedLm:
    torch.manual_seed(0)
    return masked_lm.build(masked_lm.SIZES["debug"], SHAPE)


def test_spans_hide_the_share_in_runs_of_the_mean_length() -> None:
    torch.manual_seed(0)
    there = torch.ones(400, 200, dtype=torch.bool)
    there[:, 150:] = False
    hidden = masked_lm.spans(there, share=0.2, mean=3.0)
    assert not hidden[:, 150:].any()
    assert abs(float(hidden[:, :150].float().mean()) - 0.2) < 0.01
    starts = (hidden[:, 1:150] & ~hidden[:, :149]).sum()
    assert 3.2 < float(hidden[:, 1:150].sum() / starts) < 4.3  # neighbouring spans run together: 3 / (1 - begin)


def test_learns_to_guess_what_is_hidden() -> None:
    model, data = built().train(), corpus(["ab" * 8, "cd" * 8] * 4)
    (player,) = model.players()
    optimiser, batches, held = Optimiser(player), model.batches(data, 0, 0), data.batch(np.arange(8))
    with torch.no_grad():
        before = model.validation_loss(held)
    for step in range(100):
        optimiser.clear()
        player.loss(batches(step)).value.backward()
        optimiser.step(1e-2, 1e-2)
    model.eval()
    with torch.no_grad():
        assert float(model.validation_loss(held)) < 0.5 < float(before)


def test_sees_the_right_hand_side_of_its_own_item_only() -> None:
    model = built().eval()
    values = corpus(["abcdef", "abcxyz", "abc"]).batch(np.arange(3)).values
    with torch.no_grad():
        one, two, short = model(values, (values != PAD)[:, None, None, :])
        alone = model(values[2:, :4], torch.ones(1, 1, 1, 4, dtype=torch.bool))[0]
    assert not torch.allclose(one[0], two[0], atol=1e-6)
    assert torch.allclose(short[:4], alone, atol=1e-5)


def test_validation_hides_the_same_symbols_each_time() -> None:
    model, data = built().eval(), corpus(["some text", "and more of it"])
    rows, held = model.batches(data, 0, 0)(0), data.batch(np.arange(2))
    with torch.no_grad():
        first = model.validation_loss(held)
        torch.rand(5)
        assert torch.equal(first, model.validation_loss(held))
        assert not torch.equal(model.loss(rows), model.loss(rows))


def test_capabilities() -> None:
    assert capabilities(built()) == ("encodes",)
