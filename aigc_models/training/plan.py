"""How to train, what training sees of the world around it, and what comes out; cheap to import."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import AigcError
from aigc_models.training.devices import AUTO, Device

VALIDATED, SYMBOLS = 512, 16_384  # validation items, and symbols of all of them, that training looks at, at most
VALIDATIONS = 25  # in a training, where the plan does not say

Schedule = Literal["cosine", "trapezoid", "linear", "constant"]
Precision = Literal["auto", "no", "bf16"]


class Interrupted(AigcError):
    """Training was asked to stop, or has reached its limit of time; its checkpoint is written."""


class Context(Protocol):
    """What training sees of the world around it."""

    @property
    def folder(self) -> Path: ...
    def progress(self, step: int, total: int, **figures: float) -> None: ...
    def stop(self) -> bool: ...


class Plan(BaseModel):
    """How to train: a number of steps, so that the same plan gives the same weights however busy the machine is.

    `aigc_models.training.speed` turns a time into steps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(ge=1, description="steps of each player that acts in every step")
    limit: float | None = Field(
        None, gt=0, description="wall time in seconds after which it stops, says so and can go on; what is made is the same"
    )
    batch_size: int = Field(64, ge=1, description="items of a step")
    accumulate: int = Field(
        1,
        ge=1,
        description="parts in which a step's items are taken one after the other, where memory does not hold them all; their "
        "gradients are added up to those of the whole",
    )
    processes: int = Field(
        1, ge=1, description="that train together, each on its share of a step's items: on CPU cores, or on a GPU each"
    )
    learning_rate: float = Field(1e-3, gt=0, description="highest rate; a player multiplies it by its own factor")
    matrix_rate: float = Field(0.02, gt=0, description="the same of the matrices that a player leaves to Muon")
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the steps in which the rate rises")
    schedule: Schedule = Field("cosine", description="how the rate falls")
    clip: float = Field(1.0, ge=0, description="highest gradient norm of a player; 0: no limit")
    ema: float = Field(0.999, ge=0, lt=1, description="decay a step of the averaged weights; 0: no average")
    weight_decay: float | None = Field(None, ge=0, description="of matrices, times the rate, a step; none: each player's own")
    precision: Precision = Field("auto", description="auto: bf16 on a GPU that has it")
    compile: bool = Field(False, description="torch.compile the losses, on a GPU")
    device: Device = Field("auto", description=AUTO)
    seed: int = Field(0, ge=0, description="of batches and of all randomness in the losses")
    validate_every: int = Field(0, ge=0, description="steps between validations; 0: some 25 in a run")
    validation_batch: int = Field(
        0,
        ge=0,
        description="items of a validation at a time; 0: as of a step. Texts are scored beside those of like length: "
        "the more at once, the less padding",
    )
    patience: int = Field(0, ge=0, description="validations without a better one before it stops; 0: never stops early")
    checkpoint_seconds: float = Field(10.0, ge=0, description="seconds between checkpoints; 0: one after each step")


@dataclass(frozen=True)
class Fitted:
    """`seconds` over all parts of a run that was cut; `interrupted` says whether it was.

    `curve` has at most some 200 points `{step, seconds, learning_rate, loss.<player>,
    gradient.<player>}`, means since the point before, some with `validation_loss`.
    """

    steps: int
    seconds: float
    validation_loss: float | None
    curve: list[dict[str, float]]
    interrupted: bool
