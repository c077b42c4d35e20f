"""Scores, streams beyond its window, sees no future, learns its condition."""

import pytest
import torch

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Batch
from aigc_models.families import masked_lm, transformer
from aigc_models.modalities.text import END, PAD, START

SHAPE = Shape("text", ("a", "b"))


def batch(texts: list[bytes], conditions: list[int]) -> Batch:
    values = torch.full((len(texts), max(map(len, texts)) + 1), PAD)
    for row, text in zip(values, texts, strict=True):
        row[: len(text) + 1] = torch.tensor([*text, END])
    return Batch(values, torch.tensor(conditions))


def built(window: int = 32, layers: int = 2) -> transformer.Transformer:
    torch.manual_seed(0)
    config = transformer.SIZES["debug"].model_copy(update={"window": window, "layers": layers})
    return transformer.build(config, SHAPE).eval()


@pytest.mark.parametrize("window", [4, 32])
def test_log_likelihood_is_what_streaming_gives(window: int) -> None:
    """With a window shorter than the text as well: what the cache forgets, the mask hides."""
    model, data = built(window), batch([b"hello there", b"hi", b""], [0, 1, 2])
    with torch.no_grad():
        scores = model.log_likelihood(data)
        state, token = model.begin(data.conditions), torch.full((3,), START)
        for time in range(data.values.shape[1]):
            log, state = model.advance(state, token)
            token = data.values[:, time]
            there = token != PAD
            streamed = log[there].gather(1, token[there][:, None])[:, 0]
            assert torch.allclose(scores[there, time], streamed, atol=1e-4)
            assert (scores[~there, time] == 0).all()


def test_sees_no_future() -> None:
    model = built()
    with torch.no_grad():
        one = model.log_likelihood(batch([b"abcdef"], [0]))
        two = model.log_likelihood(batch([b"abcxyz"], [0]))
    assert torch.allclose(one[0, :3], two[0, :3], atol=1e-5)
    assert not torch.allclose(one[0, 4:], two[0, 4:], atol=1e-5)


def test_packed_rows_give_the_loss_of_the_items_alone() -> None:
    """Attention stays inside an item, so that its neighbours in a row do not matter."""
    model, data = built(), batch([b"abc", b"defgh", b"ij"], [0, 1, 0])
    model.none = 99
    config = model.config.model_copy(update={"unlabelled": 0.0})
    model.config = config
    with torch.no_grad():
        assert torch.isclose(model.loss(data), model.validation_loss(data), atol=1e-5)


def test_learns_which_text_belongs_to_which_condition() -> None:
    model, data = built().train(), batch([b"aaaaaaaa", b"bbbbbbbb"] * 8, [0, 1] * 8)
    player = model.players()[0]
    optimiser = torch.optim.Adam(player.parameters, lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        player.loss(data).backward()
        optimiser.step()
    model.eval()
    with torch.no_grad():
        right = model.log_likelihood(batch([b"aaaaaaaa"], [0])).sum()
        wrong = model.log_likelihood(batch([b"aaaaaaaa"], [1])).sum()
    assert right > wrong + 1


def test_blocks_and_embedding_fit_those_of_the_body() -> None:
    body = {name: value.shape for name, value in masked_lm.build(masked_lm.SIZES["small"], SHAPE).state_dict().items()}
    shapes = {name: value.shape for name, value in transformer.build(transformer.SIZES["small"], SHAPE).state_dict().items()}
    assert body == {name: shape for name, shape in shapes.items() if name != "conditions.weight"}
    assert transformer.BODY == "masked_lm"


def test_capabilities() -> None:
    assert capabilities(built()) == ("streams", "scores", "predicts", "encodes")
