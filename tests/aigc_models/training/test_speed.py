from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from aigc_models.capabilities import Player, Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.find import find
from aigc_models.modalities import image, series, text
from aigc_models.training.plan import Interrupted, Plan
from aigc_models.training.speed import classifying, making, measure, some


class Counting(nn.Module):
    """Two players, of whom the second acts in every third step; it counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.steps, self.validations = [0, 0], 0

    def loss(self, number: int, batch: Batch) -> torch.Tensor:
        self.steps[number] += 1
        return (self.first, self.second)[number](batch.values.flatten(1)).square().mean()

    def players(self) -> list[Player]:
        return [
            Player("first", list(self.first.parameters()), lambda batch: self.loss(0, batch)),
            Player("second", list(self.second.parameters()), lambda batch: self.loss(1, batch), every=3),
        ]

    def validation_loss(self, batch: Batch) -> torch.Tensor:
        self.validations += 1
        return self.first(batch.values.flatten(1)).square().mean()


def corpus(count: int) -> Corpus:
    return Corpus("image", np.random.default_rng(0).normal(size=(count, 1, 2, 2)).astype(np.float32), np.zeros(count, np.int64))


def test_whole_rounds_are_timed_and_one_validation() -> None:
    model = Counting()
    step, validation = measure(model, corpus(40), corpus(20), Plan(steps=1, batch_size=8), lambda: False, seconds=0.0)
    assert step > 0
    assert validation > 0
    assert model.steps == [18, 6]  # six rounds of three steps: the first is not counted, five are
    assert model.validations == 3  # 20 items, 8 at a time


def test_without_validation_items_there_is_no_validation() -> None:
    step, validation = measure(Counting(), corpus(40), corpus(0), Plan(steps=1, batch_size=8), lambda: False, seconds=0.0)
    assert step > 0
    assert validation == 0


def test_it_stops_when_asked() -> None:
    with pytest.raises(Interrupted):
        measure(Counting(), corpus(40), corpus(20), Plan(steps=1), lambda: True)


SERIES = series.Format(channels=1, names=("value",), context=8, horizon=4, step="1", centre=(0.0,), scale=(1.0,))


@pytest.mark.parametrize(
    ("family", "shape", "makes"),
    [
        ("vae", Shape("image", (), image.Format(height=8, width=8, channels=1)), True),
        ("rnn", Shape("text", (), text.Format(length=100)), True),
        ("linear", Shape("series", (), SERIES), False),
    ],
)
def test_how_fast_items_are_made_is_measured_of_a_model_that_has_learnt_nothing(family, shape, makes):
    module = find("aigc_models.families", family)
    assert (making(module.build(module.SIZES["debug"], shape), shape) > 0) == makes


def test_only_what_can_be_painted_is_classified():
    module, shape = find("aigc_models.families", "vae"), Shape("image", (), image.Format(height=8, width=8, channels=1))
    items = some(module.build(module.SIZES["debug"], shape), shape)
    assert items is not None
    assert items.values.shape == (16, 1, 8, 8)
    assert classifying(items, shape) > 0
    assert classifying(items, Shape("text", (), text.Format(length=9))) == 0
