"""Rows keep items apart, the window is what it sees, and a body's weights fit."""

import numpy as np
import pytest
import torch

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Corpus
from aigc_models.families import masked_lm, transformer
from aigc_models.modalities import text

SHAPE = Shape("text", ("a", "b"), text.Format(length=64))


def built(window: int = 32, layers: int = 2, rows: int = 1) -> transformer.Transformer:
    torch.manual_seed(0)
    settings = {"window": window, "layers": layers, "rows": rows, "unlabelled": 0.0}
    return transformer.build(transformer.SIZES["debug"].model_copy(update=settings), SHAPE).eval()


def corpus(texts: list[str]) -> Corpus:
    return Corpus("text", text.encode(texts, SHAPE.format), np.arange(len(texts), dtype=np.int64) % 2)


@torch.no_grad()
def test_packed_rows_give_the_loss_of_the_items_alone() -> None:
    """Attention stays inside an item, so that its neighbours in a row do not matter."""
    model, data = built(window=13), corpus(["abc", "defgh", "ij"])
    assert torch.isclose(model.loss(model.batches(data, 0, 0)(0)), model.validation_loss(data.batch(np.arange(3))), atol=1e-5)


@pytest.mark.parametrize("window", [4, 9])
@torch.no_grad()
def test_a_symbol_is_seen_as_far_as_the_window_reaches(window: int) -> None:
    """One layer, and embeddings of single symbols: what stands further back says nothing."""
    torch.manual_seed(0)
    config = transformer.SIZES["debug"].model_copy(update={"window": window, "longest": 1})
    model = transformer.build(config, SHAPE).eval()
    data = Corpus("text", text.encode(["xbcdefghijklm", "ybcdefghijklm"], SHAPE.format), np.zeros(2, dtype=np.int64))
    one, two = model.log_likelihood(data.batch(np.arange(2)))
    differs = ~torch.isclose(one, two, atol=1e-6)
    assert differs[: window + 1].all()  # the symbol itself, and the `window` that follow it
    assert not differs[window + 1 :].any()


def test_blocks_and_embedding_fit_those_of_the_body() -> None:
    body = {name: value.shape for name, value in masked_lm.build(masked_lm.SIZES["small"], SHAPE).state_dict().items()}
    shapes = {name: value.shape for name, value in transformer.build(transformer.SIZES["small"], SHAPE).state_dict().items()}
    assert body == {name: shape for name, shape in shapes.items() if name != "conditions.weight"}
    assert transformer.BODY == "masked_lm"


def test_capabilities() -> None:
    assert capabilities(built()) == ("streams", "scores", "encodes")
