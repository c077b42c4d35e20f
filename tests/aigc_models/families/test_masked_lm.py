"""Hides what it should, guesses from both sides, ignores labels and padding."""

import torch

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Batch
from aigc_models.families import masked_lm
from aigc_models.modalities.text import END, PAD

SHAPE = Shape("text", ("a", "b"))


def batch(texts: list[bytes]) -> Batch:
    values = torch.full((len(texts), max(map(len, texts)) + 1), PAD)
    for row, text in zip(values, texts, strict=True):
        row[: len(text) + 1] = torch.tensor([*text, END])
    return Batch(values, torch.zeros(len(texts), dtype=torch.int64))


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
    model, data = built().train(), batch([b"ab" * 8, b"cd" * 8] * 4)
    player = model.players()[0]
    optimiser = torch.optim.Adam(player.parameters, lr=1e-2)
    with torch.no_grad():
        before = model.validation_loss(data)
    for _ in range(100):
        optimiser.zero_grad()
        player.loss(data).backward()
        optimiser.step()
    model.eval()
    with torch.no_grad():
        assert float(model.validation_loss(data)) < 0.5 < float(before)


def test_sees_the_right_hand_side_of_its_own_item_only() -> None:
    model = built().eval()
    values = batch([b"abcdef", b"abcxyz", b"abc"]).values
    with torch.no_grad():
        one, two, short = model(values, (values != PAD)[:, None, None, :])
        alone = model(values[2:, :4], torch.ones(1, 1, 1, 4, dtype=torch.bool))[0]
    assert not torch.allclose(one[0], two[0], atol=1e-6)
    assert torch.allclose(short[:4], alone, atol=1e-5)


def test_validation_hides_the_same_symbols_each_time() -> None:
    model, data = built().eval(), batch([b"some text", b"and more of it"])
    with torch.no_grad():
        first = model.validation_loss(data)
        torch.rand(5)
        assert torch.equal(first, model.validation_loss(data))
        assert not torch.equal(model.loss(data), model.loss(data))


def test_embedding_does_not_depend_on_padding() -> None:
    model = built().eval()
    with torch.no_grad():
        alone, beside = model.embed(batch([b"abc"])), model.embed(batch([b"abc", b"something longer"]))[:1]
    assert torch.allclose(alone, beside, atol=1e-5)
    assert capabilities(model) == ("encodes",)
