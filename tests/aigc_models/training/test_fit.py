from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Player
from aigc_models.corpus import Batch, Corpus
from aigc_models.errors import AigcError, BadInput
from aigc_models.training.fit import Interrupted, Plan, checkpoints, fit, seeded


@dataclass
class Context:
    folder: Path
    stop_at: int | None = None
    asked: int = -1
    news: list[dict[str, float]] = field(default_factory=list)

    def progress(self, step: int, total: int, **figures: float) -> None:
        self.news.append({"step": step, "total": total, **figures})

    def stop(self) -> bool:
        self.asked += 1
        return self.asked == self.stop_at


class Begun(Context):
    """Stops as soon as the first checkpoint is written."""

    def stop(self) -> bool:
        return any(self.folder.glob("checkpoints/*/manifest.json"))


class Bridge(nn.Module):
    """One player; dropout, noise and a running mean, so that every kind of state counts."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(16, 32), nn.BatchNorm1d(32), nn.Dropout(0.2), nn.Linear(32, 16))

    def forward(self, values: Tensor) -> Tensor:
        return self.layers(values).reshape(values.shape)

    def loss(self, batch: Batch) -> Tensor:
        return F.mse_loss(self(batch.values + 0.3 * torch.randn_like(batch.values)), batch.values)

    def validation_loss(self, batch: Batch) -> Tensor:
        return self.loss(batch)

    def players(self) -> list[Player]:
        return [Player("denoiser", list(self.parameters()), self.loss)]


class Duel(nn.Module):
    """Two players, of whom the second acts in every other step; no validation loss."""

    def __init__(self) -> None:
        super().__init__()
        self.maker, self.critic = nn.Linear(4, 16), nn.Sequential(nn.Linear(16, 16), nn.Dropout(0.3), nn.Linear(16, 1))

    def make(self, batch: Batch) -> Tensor:
        return self.maker(torch.randn(len(batch), 4) + np.random.rand())

    def criticise(self, batch: Batch) -> Tensor:
        return F.relu(1 - self.critic(batch.values.flatten(1))).mean() + F.relu(1 + self.critic(self.make(batch))).mean()

    def please(self, batch: Batch) -> Tensor:
        return -self.critic(self.make(batch)).mean()

    def players(self) -> list[Player]:
        critic, maker = list(self.critic.parameters()), list(self.maker.parameters())
        return [Player("critic", critic, self.criticise), Player("maker", maker, self.please, every=2, learning_rate=0.5)]


def corpus(items: int = 60) -> Corpus:
    values = np.random.default_rng(0).integers(0, 255, (items, 1, 4, 4), dtype=np.uint8)
    return Corpus("image", values, np.zeros(items, dtype=np.int64))


def build(kind: type[nn.Module], seed: int = 1) -> nn.Module:
    with seeded(seed):
        return kind()


def digest(tensors: dict[str, Tensor]) -> str:
    whole = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        whole.update(name.encode() + tensor.numpy().tobytes())
    return whole.hexdigest()


def train(folder: Path, kind: type[nn.Module], plan: Plan, stop_at: int | None = None) -> tuple[nn.Module, object]:
    model = build(kind)
    fitted = fit(model, corpus(), corpus(20), plan, Context(folder, stop_at))
    return model, fitted


@pytest.mark.parametrize("kind", [Bridge, Duel])
@pytest.mark.parametrize("checkpoint_seconds", [0.0, 60.0])
def test_a_resumed_run_equals_one_never_cut(tmp_path: Path, kind: type[nn.Module], checkpoint_seconds: float) -> None:
    plan = Plan(steps=30, batch_size=8, validate_every=4, checkpoint_seconds=checkpoint_seconds, learning_rate=1e-2)
    whole, whole_fitted = train(tmp_path / "whole", kind, plan)
    with pytest.raises(Interrupted):
        train(tmp_path / "cut", kind, plan, stop_at=13)
    torch.manual_seed(99)
    resumed, fitted = train(tmp_path / "cut", kind, plan)
    assert digest(resumed.state_dict()) == digest(whole.state_dict())
    last = [checkpoints.latest(tmp_path / name / "checkpoints") for name in ("whole", "cut")]
    assert digest(last[0].tensors) == digest(last[1].tensors)
    states = [{name: state for name, state in one.state["random"].items() if name != "python"} for one in last]
    assert states[0] == states[1], "python's own is drawn from by threads of other tests too"
    assert [{**point, "seconds": 0} for point in fitted.curve] == [{**point, "seconds": 0} for point in whole_fitted.curve]
    assert fitted.interrupted
    assert not whole_fitted.interrupted
    assert fitted.validation_loss == whole_fitted.validation_loss


def test_a_run_killed_between_a_checkpoint_and_its_validation_validates_first(tmp_path: Path, monkeypatch) -> None:
    plan = Plan(steps=12, batch_size=8, validate_every=4, checkpoint_seconds=0)
    whole, whole_fitted = train(tmp_path / "whole", Bridge, plan)
    with monkeypatch.context() as patch:
        patch.setattr(Bridge, "validation_loss", lambda *_: exec("raise MemoryError"))
        with pytest.raises(MemoryError):
            train(tmp_path / "cut", Bridge, plan)
    assert checkpoints.latest(tmp_path / "cut" / "checkpoints").step == 4
    resumed, fitted = train(tmp_path / "cut", Bridge, plan)
    assert digest(resumed.state_dict()) == digest(whole.state_dict())
    assert fitted.validation_loss == whole_fitted.validation_loss


CHILD = """
import sys
from pathlib import Path
import test_fit as here
corpus, plan = here.corpus(), here.Plan.model_validate_json(sys.argv[2])
here.fit(here.build(here.Bridge), corpus, here.corpus(20), plan, here.Context(Path(sys.argv[1])))
"""


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    plan = Plan(steps=400, batch_size=8, checkpoint_seconds=0, learning_rate=1e-2)
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[3])])
    command = [sys.executable, "-c", CHILD, str(tmp_path / "cut"), plan.model_dump_json()]
    child = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path})
    while not (tmp_path / "cut" / "checkpoints" / "00000020").exists():
        assert child.poll() is None
        time.sleep(0.001)
    child.kill()
    child.wait()
    later = plan.model_copy(update={"checkpoint_seconds": 60.0})
    resumed, fitted = train(tmp_path / "cut", Bridge, later)
    whole, _ = train(tmp_path / "whole", Bridge, later)
    assert fitted.interrupted
    assert digest(resumed.state_dict()) == digest(whole.state_dict())


def test_weights_depend_on_the_seed_alone(tmp_path: Path) -> None:
    plans = [Plan(steps=5, batch_size=8, seed=seed) for seed in (0, 0, 1)]
    first, second, other = (digest(train(tmp_path / str(i), Bridge, plan)[0].state_dict()) for i, plan in enumerate(plans))
    assert first == second != other


def test_it_learns_and_keeps_the_best_weights(tmp_path: Path) -> None:
    plan = Plan(steps=150, batch_size=16, learning_rate=1e-2, ema=0.9)
    model, fitted = train(tmp_path, Bridge, plan)
    validated = [point["validation_loss"] for point in fitted.curve if "validation_loss" in point]
    assert fitted.validation_loss == min(validated) < 0.8 * validated[0]
    assert not model.training
    with seeded(0), torch.no_grad():
        again = sum(float(model.validation_loss(batch)) * len(batch) for batch in corpus(20).batches(16)) / 20
    assert again == pytest.approx(fitted.validation_loss, rel=0.2)


def test_players_change_their_own_parameters_only(tmp_path: Path) -> None:
    class Still(Duel):
        def players(self) -> list[Player]:
            return super().players()[:1]

    model, before = build(Still), build(Still)
    fit(model, corpus(), corpus(0), Plan(steps=4, batch_size=8), Context(tmp_path))
    assert torch.equal(model.maker.weight, before.maker.weight)
    assert not torch.equal(model.critic[0].weight, before.critic[0].weight)


def test_a_limit_of_time_stops_it_in_words_and_it_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    uncut, _ = train(tmp_path / "uncut", Bridge, Plan(steps=300, batch_size=8))
    limited = Plan(steps=300, batch_size=8, limit=1e-6)  # less than one step, whatever the machine does
    with pytest.raises(Interrupted, match=r"reached its limit of 1e-06 s at step 0 of 300; start it again to go on"):
        train(tmp_path / "cut", Bridge, limited)
    resumed, fitted = train(tmp_path / "cut", Bridge, limited.model_copy(update={"limit": 1e6}))
    assert (fitted.steps, fitted.interrupted) == (300, True)
    assert digest(resumed.state_dict()) == digest(uncut.state_dict())


class Fragile(Bridge):
    """Breaks where the rate is too high."""

    limit = 0.3

    def loss(self, batch: Batch) -> Tensor:
        moved = (self.layers[1].weight - self.start).abs().max() if hasattr(self, "start") else torch.zeros(())
        if not hasattr(self, "start"):
            object.__setattr__(self, "start", self.layers[1].weight.detach().clone())
        return super().loss(batch) / (moved < self.limit).float()


def test_non_finite_losses_go_back_with_half_the_rate(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    context = Context(tmp_path)
    plan = Plan(steps=10, batch_size=8, learning_rate=0.1, schedule="constant", warmup=0, ema=0)
    with caplog.at_level(logging.WARNING):
        fitted = fit(build(Fragile), corpus(), corpus(0), plan, context)
    assert "loss.denoiser and gradient.denoiser became non-finite" in caplog.text
    setbacks = max(news["setbacks"] for news in context.news if "setbacks" in news)
    assert fitted.curve[-1]["learning_rate"] == pytest.approx(0.1 * 0.5**setbacks)
    assert all(np.isfinite(point["loss.denoiser"]) for point in fitted.curve)


def test_losses_that_stay_non_finite_fail(tmp_path: Path) -> None:
    class Broken(Bridge):
        def loss(self, batch: Batch) -> Tensor:
            return super().loss(batch) * float("nan")

    with pytest.raises(AigcError, match=r"non-finite at step 1 of 9, after 3 attempts"):
        train(tmp_path, Broken, Plan(steps=9, batch_size=8))


def test_patience_stops_early(tmp_path: Path) -> None:
    class Worse(Bridge):
        seen = 0

        def validation_loss(self, batch: Batch) -> Tensor:
            self.seen += 1
            return torch.tensor(float(self.seen))

    _, fitted = train(tmp_path, Worse, Plan(steps=100, batch_size=32, validate_every=2, patience=3))
    assert (fitted.steps, fitted.validation_loss) == (8, 1.0)


def test_another_training_in_the_folder_is_not_taken_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    train(tmp_path, Bridge, Plan(steps=4, batch_size=8))
    _, fitted = train(tmp_path, Bridge, Plan(steps=6, batch_size=8))
    assert fitted.steps == 6
    assert not fitted.interrupted
    assert "another training" in caplog.text


@pytest.mark.parametrize(
    "settings", [{"precision": "bf16"}, {"compile": True}, {"schedule": "trapezoid"}, {"clip": 0, "ema": 0}]
)
def test_settings_for_other_machines_run_here_too(tmp_path: Path, settings: dict) -> None:
    model, fitted = train(tmp_path, Bridge, Plan(steps=3, batch_size=8, **settings))
    assert fitted.steps == 3
    assert {tensor.dtype for tensor in model.parameters()} == {torch.float32}


def test_what_cannot_be_trained_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="train split is empty"):
        fit(Bridge(), corpus(0), corpus(), Plan(steps=1), Context(tmp_path))
    with pytest.raises(BadInput, match="is not on this machine; choose"):
        fit(Bridge(), corpus(), corpus(), Plan(steps=1, device="mps"), Context(tmp_path))


@pytest.mark.parametrize(("plan", "sizes"), [({}, [8, 8, 4]), ({"validation_batch": 256}, [20])])
def test_validation_takes_as_many_items_at_a_time_as_the_plan_says(tmp_path: Path, plan: dict, sizes: list[int]) -> None:
    class Watching(Bridge):
        seen: tuple[int, ...] = ()

        def validation_loss(self, batch: Batch) -> Tensor:
            self.seen += (len(batch),)
            return self.loss(batch)

    model, _ = train(tmp_path, Watching, Plan(steps=1, batch_size=8, **plan))
    assert list(model.seen) == sizes
