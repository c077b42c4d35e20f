"""Carries its state from row to row, and not into what it scores."""

import numpy as np
import torch

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Corpus
from aigc_models.families import rnn
from aigc_models.modalities import text

SHAPE = Shape("text", ("a", "b"), text.Format(length=64))


def built() -> rnn.Rnn:
    torch.manual_seed(0)
    return rnn.build(rnn.SIZES["debug"].model_copy(update={"window": 4, "rows": 1, "unlabelled": 0.0}), SHAPE).eval()


def corpus(texts: list[str]) -> Corpus:
    return Corpus("text", text.encode(texts, SHAPE.format), np.zeros(len(texts), dtype=np.int64))


@torch.no_grad()
def test_rows_one_after_the_other_have_the_loss_of_the_whole_item() -> None:
    model, data = built(), corpus(["a text of 23 characters"])
    batches = model.batches(data, 0, 0)
    losses = torch.stack([model.loss(batches(step)) for step in range(6)])
    assert torch.isclose(losses.mean(), model.validation_loss(data.batch(np.arange(1))), atol=1e-5)
    assert not torch.isclose(model.loss(batches(0)), losses[0], atol=1e-4), "the state is that of the end now"


@torch.no_grad()
def test_what_is_scored_does_not_depend_on_the_rows_before() -> None:
    model, data = built(), corpus(["some text", "more"])
    before = model.log_likelihood(data.batch(np.arange(2)))
    model.loss(model.batches(data, 0, 0)(0))
    assert torch.equal(before, model.log_likelihood(data.batch(np.arange(2))))


def test_what_is_carried_is_no_weight() -> None:
    model = built()
    assert "carried" not in model.state_dict()
    assert dict(model.named_buffers())["carried"].shape == (2, 1, 1, 16)


def test_capabilities_and_size() -> None:
    model = rnn.build(rnn.SIZES["small"], SHAPE)
    assert capabilities(model) == ("streams", "scores", "encodes")
    assert 3e6 < sum(p.numel() for p in model.parameters()) < 8e6  # most of them in the table of n-grams
