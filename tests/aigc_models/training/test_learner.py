from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from aigc_models.capabilities import Player
from aigc_models.corpus import Batch
from aigc_models.training.learner import Learner


class Pull(nn.Module):
    """Two players who pull one number each; the second's loss reaches the first's number too."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.far = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)

    def draw_near(self, batch: Batch) -> Tensor:
        return (self.near - 1).square().sum()

    def draw_far(self, batch: Batch) -> Tensor:
        return (self.far + self.near - 5 * self.frozen).square().sum()

    def players(self) -> list[Player]:
        return [
            Player("near", [self.near], self.draw_near),
            Player("far", [self.far, self.frozen], self.draw_far, every=3, learning_rate=10.0),
        ]


def learner(**settings: object) -> Learner:
    defaults = {"device": "cpu", "precision": "no", "compile": False, "ema": 0.0, "weight_decay": None, "clip": 0.0}
    defaults |= {"learning_rate": 1.0, "matrix_rate": 1.0}
    return Learner(Pull(), **defaults | settings)


BATCH = Batch(torch.zeros(2, 1), torch.zeros(2, dtype=torch.int64))


def test_players_act_in_their_turn_at_their_own_rate() -> None:
    pull = learner()
    for step in range(4):
        pull.step(step, BATCH, rate=0.01)
    assert pull.model.near.item() == pytest.approx(0.04, rel=1e-2)
    assert pull.model.far.item() == pytest.approx(0.2, rel=1e-2)
    assert pull.model.frozen.item() == 1.0
    assert pull.counts == {"loss.near": 4, "gradient.near": 4, "loss.far": 2, "gradient.far": 2}


def test_means_are_over_the_steps_in_which_a_player_acted() -> None:
    pull = learner()
    for step in range(3):
        pull.step(step, BATCH, rate=0.0)
    assert pull.means() == pytest.approx({"loss.near": 1, "gradient.near": 2, "loss.far": 25, "gradient.far": 10})
    pull.clear()
    assert pull.means() == {}


def test_what_is_not_finite_is_named() -> None:
    pull = learner()
    with torch.no_grad():
        pull.model.far.fill_(float("inf"))
    pull.step(1, BATCH, rate=0.0)
    assert pull.spoilt() == []
    pull.step(3, BATCH, rate=0.0)
    assert pull.spoilt() == ["loss.far", "gradient.far"]


def test_the_clip_bounds_a_players_gradient() -> None:
    pull = learner(clip=0.5)
    pull.step(0, BATCH, rate=0.0)
    assert float(pull.model.far.grad.norm()) == pytest.approx(0.5, rel=1e-3)
    assert pull.means()["gradient.far"] == 10
