"""The one training loop: `fit` trains whatever has `players`, and goes on where it was cut.

A step's batch depends on the seed and the step alone, and a checkpoint holds every random state,
so a run that was stopped or killed ends, bit for bit on a CPU, with the weights of one that never was.
The first weights of a model are drawn when it is built: build it inside `seeded(seed)`.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from aigc_models.capabilities import Learns, Validates
from aigc_models.corpus import Corpus
from aigc_models.errors import AigcError, BadInput
from aigc_models.training import checkpoints, optimisers, randomness
from aigc_models.training.checkpoints import Checkpoint
from aigc_models.training.learner import LEARNERS, Learner, batches_of, looked_at
from aigc_models.training.plan import VALIDATIONS, Context, Fitted, Interrupted, Plan
from aigc_models.training.randomness import seeded

__all__ = ["Context", "Fitted", "Interrupted", "Plan", "fit", "seeded"]

SETBACKS = 3  # how often a run may go back to its last good checkpoint
POINTS = 150  # of the learning curve
SECONDS_BETWEEN_NEWS = 0.25

log = logging.getLogger(__name__)


def fit(model: Learns, train: Corpus, validation: Corpus, plan: Plan, context: Context) -> Fitted:
    """Train `model` in place; afterwards it has its best (or averaged) weights, on the CPU, in eval mode.

    Best is by `validation_loss`, where the model has one and `validation` has items.
    Raises `Interrupted` after `context.stop()` and where the plan's limit of time is reached, `BadInput` for a device
    that is not there, and `AigcError` where the losses stay non-finite at an eighth of the rate.
    """
    if not len(train):
        raise BadInput("there is nothing to train on: the train split is empty")
    run = _Run(model, train, validation, plan, context)
    run.begin()
    run.go()
    return run.finish()


@dataclass
class _Status:
    """All that a run remembers beside tensors; JSON."""

    step: int = 0
    total: int = 0
    every: int = 0  # steps between validations
    looked: int = 0  # the last step that was noted down and validated
    seconds: float = 0.0
    setbacks: int = 0
    best: float | None = None
    stale: int = 0  # validations since the best one
    resumed: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    curve: list[dict[str, float]] = field(default_factory=list)


class _Run:
    """One training, from its first checkpoint to its last."""

    def __init__(self, model: Learns, train: Corpus, validation: Corpus, plan: Plan, context: Context) -> None:
        self.plan, self.context = plan, context
        self.started = self.begun = self.saved = self.reported = time.monotonic()
        self.folder = context.folder / "checkpoints"
        self.learner = Learner(model, **plan.model_dump(include=LEARNERS))
        self.replicas = self.learner.replicas
        self.corpus, self.batches = train, batches_of(model, train, plan.batch_size, plan.seed)
        validates = isinstance(model, Validates) and len(validation)
        self.validation = looked_at(validation, plan.seed) if validates else None
        self.best: dict[str, Tensor] = {}
        self.status = _Status()

    # The course of a run

    def begin(self) -> None:
        """Go on from the last checkpoint, or write the first one."""
        checkpoint = checkpoints.latest(self.folder)
        self.replicas.wait()
        if checkpoint and checkpoint.state["recipe"] != self.recipe():
            log.warning("%s holds another training; starting afresh", self.folder)
            if self.replicas.main:
                checkpoints.discard(self.folder)
            checkpoint = None
        if checkpoint:
            self.restore(checkpoint)
            self.status.resumed += 1
            self.started -= self.status.seconds
            log.info("going on at step %d of %d", self.status.step, self.status.total)
        else:
            randomness.seed_all(self.plan.seed)
            self.set_length()
            self.save()

    def go(self) -> None:
        """A checkpoint comes before the validation of its step, which may run out of memory."""
        while True:
            if self.status.looked < self.status.step:
                self.look()
            if self.finished:
                return
            if self.replicas.agreed(self.context.stop() or self.late):
                self.interrupt()
            self.advance()
            if not self.healthy():
                self.fall_back()
            elif self.save_due or self.status.step == self.status.total:
                self.save()
            self.tell()

    @property
    def finished(self) -> bool:
        impatient = 0 < self.plan.patience <= self.status.stale
        return self.status.step >= self.status.total or impatient

    @property
    def late(self) -> bool:
        """Whether this part of the training, from its start or its last checkpoint on, has had its time."""
        return self.plan.limit is not None and time.monotonic() - self.begun >= self.plan.limit

    @property
    def save_due(self) -> bool:
        return self.replicas.agreed(time.monotonic() - self.saved >= self.plan.checkpoint_seconds)

    def advance(self) -> None:
        self.learner.step(self.status.step, self.batches(self.status.step), self.factor())
        self.status.step += 1

    def factor(self) -> float:
        """That of the plan's rates at this step, halved by each setback."""
        shape = optimisers.factor(self.plan.schedule, self.status.step, self.status.total, self.plan.warmup)
        return float(shape * 0.5**self.status.setbacks)

    def interrupt(self) -> None:
        if not self.learner.spoilt():
            self.save()
        why = f"reached its limit of {self.plan.limit:g} s" if self.late else "stopped"
        raise Interrupted(f"training {why} at step {self.status.step} of {self.status.total}; start it again to go on")

    def finish(self) -> Fitted:
        status, model = self.status, self.learner.model
        model.load_state_dict(self.best or self.learner.averaged())
        model.to("cpu").eval()
        self.reported = 0.0
        self.tell()
        return Fitted(status.step, self.seconds(), status.best, status.curve, interrupted=status.resumed > 0)

    # Looking at what has been learnt

    @property
    def validates(self) -> bool:
        return self.status.step % self.status.every == 0 or self.status.step == self.status.total

    @property
    def notes(self) -> bool:
        return self.validates or self.status.step % max(1, self.status.total // POINTS) == 0

    def look(self) -> None:
        """Note down and validate, where the step is one of those for it."""
        status = self.status
        if self.notes:
            status.curve.append({"step": status.step, "seconds": round(self.seconds(), 3), **self.figures()})
            self.learner.clear()
        if self.validates and self.validation:
            loss = self.learner.validate(self.validation, self.plan.validation_batch or self.plan.batch_size, self.plan.seed)
            self.judge(loss)
        status.looked = status.step

    def judge(self, loss: float) -> None:
        """Keep the weights if they are the best so far."""
        status = self.status
        if not math.isfinite(loss):
            log.warning("the validation loss at step %d is %s", status.step, loss)
        else:
            status.curve[-1]["validation_loss"] = loss
        if math.isfinite(loss) and (status.best is None or loss < status.best):
            status.best, status.stale, self.best = loss, 0, self.learner.averaged()
        else:
            status.stale += 1

    def figures(self) -> dict[str, float]:
        return {"learning_rate": self.plan.learning_rate * self.factor(), **self.learner.means()}

    def tell(self) -> None:
        """Say how far it is, a few times a second."""
        if self.replicas.main and time.monotonic() - self.reported >= SECONDS_BETWEEN_NEWS:
            self.reported = time.monotonic()
            last = self.status.curve[-1:] or [{}]
            figures = {name: value for name, value in last[0].items() if name not in ("step", "seconds")} | self.figures()
            self.context.progress(self.status.step, self.status.total, **figures)

    # Trouble

    def healthy(self) -> bool:
        """Whether all is finite; asked only now and then on a GPU, which would have to be waited for."""
        asked = self.learner.device.type == "cpu" or self.notes or self.save_due or self.status.step % 16 == 0
        return not (asked and self.learner.spoilt())

    def fall_back(self) -> None:
        """Back to the last good checkpoint, with half the rate."""
        trouble = f"{' and '.join(self.learner.spoilt())} became non-finite at step {self.status.step} of {self.status.total}"
        checkpoint = checkpoints.latest(self.folder)
        self.replicas.wait()
        if checkpoint is None:
            raise AigcError(f"{trouble}, and there is no checkpoint to go back to")
        self.restore(checkpoint)
        self.status.setbacks += 1
        if self.status.setbacks > SETBACKS:
            raise AigcError(f"{trouble}, after {SETBACKS} attempts with lower rates; give a lower learning_rate or clip")
        self.save()
        log.warning("%s; going on from step %d with half the rate", trouble, self.status.step)
        if self.replicas.main:
            self.context.progress(self.status.step, self.status.total, setbacks=float(self.status.setbacks))

    # Time

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def set_length(self) -> None:
        """How many steps there are, and how many between two validations."""
        self.status.total = self.plan.steps
        self.status.every = self.plan.validate_every or -(-self.plan.steps // VALIDATIONS)

    # State

    def recipe(self) -> dict[str, Any]:
        """What must be the same for a checkpoint to be of this training."""
        plan = self.plan.model_dump(exclude={"device", "checkpoint_seconds", "limit"})
        shapes = {name: list(tensor.shape) for name, tensor in self.learner.model.state_dict().items()}
        return {"plan": plan, "shapes": shapes, "items": len(self.corpus)}

    def snapshot(self) -> Checkpoint:
        """All that the rest of the run depends on."""
        status, learner = self.status, self.learner
        status.seconds = self.seconds()
        status.sums = {name: float(value) for name, value in learner.sums.items()}
        status.counts = dict(learner.counts)
        tensors, state = randomness.capture()
        parts = {**learner.tensors(), "best": self.best, "random": tensors}
        flat = {f"{part}/{name}": tensor for part, named in parts.items() for name, tensor in named.items()}
        kept = {"status": asdict(status), "random": state, "recipe": self.recipe()}
        return Checkpoint(status.step, checkpoints.detached(flat), kept)

    def restore(self, checkpoint: Checkpoint) -> None:
        parts: dict[str, dict[str, Tensor]] = {}
        for name, tensor in checkpoint.tensors.items():
            part, rest = name.split("/", 1)
            parts.setdefault(part, {})[rest] = tensor
        self.learner.load(parts)
        self.best = parts.get("best", {})
        self.status = _Status(**checkpoint.state["status"])
        self.learner.sums = {name: torch.tensor(value, device=self.learner.device) for name, value in self.status.sums.items()}
        self.learner.counts = dict(self.status.counts)
        randomness.restore(parts["random"], checkpoint.state["random"])

    def save(self) -> None:
        """By the main process alone; all of them go on when it is written."""
        if self.replicas.main:
            checkpoints.save(self.folder, self.snapshot())
        self.replicas.wait()
        self.saved = time.monotonic()
