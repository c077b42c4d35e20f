from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aigc_models.capabilities import Player, Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.families import gan, masked_lm
from aigc_models.find import find
from aigc_models.modalities import image, series, text
from aigc_models.sequences import Sequences
from aigc_models.training.learner import Learner, batches_of, parts
from aigc_models.training.randomness import seeded


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


TEXTS = Shape("text", ("a", "b"), text.Format(length=24))
PICTURES = Shape("image", ("a", "b"), image.Format(height=8, width=8, channels=1))
SERIES = Shape(
    "series",
    (),
    series.Format(context=24, horizon=6, season=6, channels=2, names=("a", "b"), step="1", centre=(0.0, 0.0), scale=(1.0, 1.0)),
)
SETTINGS: dict[str, tuple[Shape, dict[str, Any]]] = {  # without what is random in the losses
    "rnn": (TEXTS, {}),
    "transformer": (TEXTS, {}),
    "masked_lm": (TEXTS, {"dropout": 0.0}),
    "gan": (PICTURES, {"shift": 0, "penalty_share": 1.0}),
    "forecaster": (SERIES, {"dropout": 0.0, "noise": 0.0}),
}


def lesson(shape: Shape) -> Corpus:
    noise = np.random.default_rng(0)
    values: dict[str, Any] = {
        "text": Sequences.of([*noise.integers(97, 103, noise.integers(1, 24)), 256] for _ in range(24)),
        "image": noise.integers(0, 256, (24, 1, 8, 8)).astype(np.uint8),
        "series": noise.standard_normal((24, 2, 30)).astype(np.float32),
    }
    return Corpus(shape.modality, values[shape.modality], np.arange(24) % 2 * len(shape.labels) // 2)


def taught(name: str, steps: int, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Learner:
    """After some steps at a rate of zero."""
    (shape, changes), family = SETTINGS[name], find("aigc_models.families", name)
    mask, taken = torch.rand(8, 32, generator=torch.Generator().manual_seed(0)) < torch.arange(8)[:, None] / 8, count()

    def spans(there: Tensor, share: float, mean: float) -> Tensor:
        """The more, the further down the row is in its step."""
        return mask[[next(taken) % 8 for _ in there]]

    def draw(model: gan.Gan, conditions: Tensor) -> Tensor:
        return model.generator((conditions[:, None] + torch.arange(8.0)).sin(), conditions)

    monkeypatch.setattr(masked_lm, "spans", spans)
    monkeypatch.setattr(gan.Gan, "draw", draw)
    with seeded(3):
        model = family.build(family.SIZES["debug"].model_copy(update=changes), shape)
    defaults = {"device": "cpu", "precision": "no", "compile": False, "ema": 0.0, "weight_decay": 0.0, "clip": 0.0}
    one = Learner(model, **defaults | {"learning_rate": 0.0, "matrix_rate": 0.0} | settings)
    batches = batches_of(model, lesson(shape), 11, 0)
    for step in range(steps):
        one.step(step, batches(step), 1.0)
    return one


def gradients(one: Learner) -> dict[str, Tensor]:
    found = {name: tensor.grad for name, tensor in one.model.named_parameters() if tensor.grad is not None}
    return {name: gradient.to_dense() for name, gradient in found.items()}


@pytest.mark.parametrize("name", SETTINGS)
def test_parts_of_a_step_have_the_gradient_of_the_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, cut = (taught(name, 3, monkeypatch, accumulate=number) for number in (1, 3))
    expected, found = gradients(whole), gradients(cut)
    assert set(expected) == set(found)
    assert any(gradient.abs().max() > 1e-3 for gradient in expected.values())
    for parameter, gradient in expected.items():
        torch.testing.assert_close(found[parameter], gradient, rtol=1e-4, atol=1e-6, msg=parameter)
    assert cut.means() == pytest.approx(whole.means(), rel=1e-4)
    if name == "rnn":
        torch.testing.assert_close(cut.model.carried, whole.model.carried)


def test_a_batch_is_cut_into_parts_of_which_none_is_empty() -> None:
    batch = Batch(torch.arange(7), torch.arange(7))
    assert [part.values.tolist() for part in parts(batch, 3)] == [[0, 1], [2, 3], [4, 5, 6]]
    assert [len(part) for part in parts(batch, 99)] == [1] * 7
    assert parts(batch, 1) == [batch]
