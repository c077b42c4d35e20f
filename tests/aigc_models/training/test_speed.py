from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from aigc_models.capabilities import Player
from aigc_models.corpus import Batch, Corpus
from aigc_models.training.plan import Interrupted, Plan
from aigc_models.training.speed import measure


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
