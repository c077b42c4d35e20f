"""The contract of what draws one symbol after another: the state of some items alone goes on as in the whole batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from aigc_models import decoding
from aigc_models.capabilities import Fits, Shape, Streams
from aigc_models.corpus import Corpus
from aigc_models.ensembles.average import Average, Settings
from aigc_models.find import find, names
from aigc_models.modalities.text import END, PAD, START
from aigc_models.training.randomness import seeded

OF_TEXT = [name for name in names("aigc_models.families") if "text" in find("aigc_models.families", name).MODALITIES]


def built(name: str) -> Any:
    values = np.random.default_rng(0).integers(97, 101, (40, 12)).astype(np.int16)
    values[:, -1] = END
    train = Corpus("text", values, np.arange(40, dtype=np.int64) % 2)
    family = find("aigc_models.families", name)
    with seeded(0):
        model = family.build(family.SIZES["debug"], Shape("text", ("a", "b")))
        if isinstance(model, Fits):
            model.fit(train, train, lambda *args, **figures: None)
    return model.eval() if hasattr(model, "eval") else model


def models() -> dict[str, Streams]:
    made = {name: built(name) for name in OF_TEXT}
    streaming = {name: model for name, model in made.items() if isinstance(model, Streams)}
    together = Average(streaming, dict.fromkeys(streaming, 1 / len(streaming)), Settings())
    return {**streaming, "average": together}


MODELS = models()


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_some_rows_of_a_state_go_on_as_they_would_have(name: str) -> None:
    model, kept = MODELS[name], torch.tensor([4, 0, 2])
    state, tokens = model.begin(torch.tensor([0, 1, 2, 0, 1])), torch.full((5,), START)
    for symbol in (97, 98, 99):
        _, state = model.advance(state, tokens)
        tokens = torch.tensor([symbol, 97, 98, 99, 100])
    fewer = decoding.rows(state, kept)
    for _ in range(3):
        whole, state = model.advance(state, tokens)
        part, fewer = model.advance(fewer, tokens[kept])
        assert torch.allclose(whole[kept], part, atol=1e-5)
        tokens = (tokens + 1 - 97) % 4 + 97


class Countdown:
    """Writes as many letters as the item's condition says, drawn by its seed, then END."""

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


def test_items_that_have_ended_leave_a_batch_that_may_shrink() -> None:
    lengths, seeds, prompts = torch.tensor([1, 9, 2, 3, 1, 2, 5, 3]), torch.arange(8), [b"", b"zz", *[b""] * 6]
    model, whole = Countdown(), Countdown()
    texts = decoding.generate(model, lengths, seeds, prompts, shrinking=True, max_length=12)
    assert (texts != PAD).sum(1).tolist() == [length + 1 for length in lengths.tolist()]
    assert texts[1, :2].tolist() == [122, 122]
    assert model.widths[0] == 8
    assert model.widths[-1] == 1
    assert sum(model.widths) < 8 * len(model.widths) / 2
    assert torch.equal(texts, decoding.generate(whole, lengths, seeds, prompts, max_length=12))
    assert set(whole.widths) == {8}, "what is served is the same to the bit, whatever stands beside it"
