"""Scores, streams, learns a pattern, and listens to its condition."""

import torch

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Batch
from aigc_models.families import rnn
from aigc_models.modalities.text import END, PAD, START

SHAPE = Shape("text", ("a", "b"))


def batch(texts: list[bytes], conditions: list[int]) -> Batch:
    values = torch.full((len(texts), max(map(len, texts)) + 1), PAD)
    for row, text in zip(values, texts, strict=True):
        row[: len(text) + 1] = torch.tensor([*text, END])
    return Batch(values, torch.tensor(conditions))


def built() -> rnn.Rnn:
    torch.manual_seed(0)
    return rnn.build(rnn.SIZES["debug"], SHAPE).eval()


def test_log_likelihood_is_what_streaming_gives() -> None:
    model, data = built(), batch([b"hello there", b"hi", b""], [0, 1, 2])
    with torch.no_grad():
        scores = model.log_likelihood(data)
        state, token = model.begin(data.conditions), torch.full((3,), START)
        for time in range(data.values.shape[1]):
            log, state = model.advance(state, token)
            token = data.values[:, time]
            there = token != PAD
            streamed = log[there].gather(1, token[there][:, None])[:, 0]
            assert torch.allclose(scores[there, time], streamed, atol=1e-5)
            assert (scores[~there, time] == 0).all()
            token = token.clamp(max=END)


def test_learns_which_text_belongs_to_which_condition() -> None:
    model, data = built().train(), batch([b"aaaaaaaa", b"bbbbbbbb"] * 8, [0, 1] * 8)
    player = model.players()[0]
    optimiser = torch.optim.Adam(player.parameters, lr=2e-2)
    for _ in range(60):
        optimiser.zero_grad()
        player.loss(data).backward()
        optimiser.step()
    model.eval()
    with torch.no_grad():
        right = model.log_likelihood(batch([b"aaaaaaaa"], [0])).sum()
        wrong = model.log_likelihood(batch([b"aaaaaaaa"], [1])).sum()
        assert float(model.validation_loss(data)) < 0.5
    assert right > wrong + 1


def test_validation_loss_is_the_mean_over_symbols() -> None:
    model, data = built(), batch([b"abc", b"a longer one"], [0, 1])
    with torch.no_grad():
        expected = -model.log_likelihood(data).sum() / (data.values != PAD).sum()
        assert torch.isclose(model.validation_loss(data), expected)


def test_embedding_does_not_depend_on_padding_or_condition() -> None:
    model = built()
    with torch.no_grad():
        alone = model.embed(batch([b"abc"], [0]))
        beside = model.embed(batch([b"abc", b"something longer"], [1, 1]))[:1]
    assert alone.shape == (1, rnn.SIZES["debug"].width)
    assert torch.allclose(alone, beside, atol=1e-5)


def test_capabilities_and_size() -> None:
    model = rnn.build(rnn.SIZES["small"], SHAPE)
    assert capabilities(model) == ("streams", "scores", "predicts", "encodes")
    assert 3e5 < sum(p.numel() for p in model.parameters()) < 2e6
