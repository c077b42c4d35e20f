"""A number of each item, such as a price or a mark: a linear layer over what a body makes of the item, trained by squared
error on standardised numbers.

The label of an item in the data set is the number, in decimal notation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from aigc_models.capabilities import Mean, Regresses, Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.errors import BadInput
from aigc_models.find import names as files
from aigc_models.heads._linear import LinearHead

if TYPE_CHECKING:
    from aigc_models.inference import Inference

PROTOCOL = Regresses
MODALITIES = frozenset(files("aigc_models.modalities"))
FEWEST = 10  # train items
SHOWN = 60  # characters of a label in a message


class Targets(BaseModel):
    """How the label of an item becomes a number: as it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def names(self, labels: Sequence[str | None]) -> tuple[str, ...]:
        """None: numbers have no names."""
        return ()

    def of(self, label: str | None, names: Sequence[str]) -> Float[np.ndarray, " target"]:
        """float32 (1,); `BadInput` for a label that is no finite number."""
        return np.array([number(label) if label else math.nan], dtype=np.float32)


def number(label: str) -> float:
    """What a label is worth; `BadInput` where it is no finite number.

    >>> number("4.5"), number("-1e3")
    (4.5, -1000.0)
    """
    try:
        value = float(label) if "_" not in label else math.nan
    except ValueError:
        value = math.nan
    if not abs(value) <= float(np.finfo(np.float32).max):
        shown = label if len(label) <= SHOWN else f"{label[:SHOWN]}..."
        raise BadInput(
            f"label {shown!r} is no finite number: to regress takes numbers such as 4.5; correct it or leave it empty, or use "
            "--task classify (one label an item) or multilabel (several)"
        )
    return value


class Settings(BaseModel):
    """The layer on top."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of the features that are dropped in training")


class RegressHead(LinearHead):
    """A number from the body's features; items without one teach nothing. `mean` and `deviation`, float32, are of the train
    items' numbers."""

    NAME = "regress"

    def __init__(self, body: Any, none: int, settings: Settings) -> None:
        super().__init__(body, 1, none, settings)
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("deviation", torch.ones(()))

    def standardise(self, train: Corpus) -> None:
        """Take mean and standard deviation of the numbers of `train`."""
        values = numbers(train)
        self.mean.fill_(float(values.mean()))
        self.deviation.fill_(max(float(values.std()), 1e-12))

    def regress(self, batch: Batch) -> Float[Tensor, " item"]:
        """In the unit of the data's own numbers."""
        return self.mean + self.deviation * self.scores(batch)[:, 0]

    def loss(self, batch: Batch) -> Mean:
        """Squared error of standardised numbers of an item that has one, and how many those are."""
        assert batch.targets is not None
        wanted = (batch.targets[:, 0] - self.mean) / self.deviation
        there = ~wanted.isnan()
        count = there.sum().clamp(min=1)
        return Mean((self.scores(batch)[:, 0][there] - wanted[there]).square().sum() / count, count)


def numbers(corpus: Corpus) -> Float[np.ndarray, " item"]:
    """Those of the items that have one, float64."""
    assert corpus.targets is not None
    values = np.asarray(corpus.targets[:, 0], dtype=np.float64)
    return np.asarray(values[~np.isnan(values)])


def suits(card: Mapping[str, Any]) -> str:
    """Why a data card suits the task: labels that are numbers of many values; empty where it does not."""
    values: Mapping[str, Any] = card.get("splits", {}).get("train", {}).get("values", {})
    return f"the labels are numbers of {values['distinct']:,} values" if values else ""


def check(shape: Shape, train: Corpus) -> None:
    """Numbers, some of them, and two different ones at least."""
    values = numbers(train)
    if len(values) < FEWEST:
        raise BadInput(
            f"to regress takes {FEWEST} train items with a number, and {len(values)} have one; say where numbers stand with "
            "`aigc data add --label`"
        )
    if values.min() == values.max():
        raise BadInput(f"to regress takes different numbers, and all {len(values):,} train items have {values[0]:g}")


def answers(generator: Inference, contents: Sequence[Any]) -> list[dict[str, Any]]:
    """Of each content its `value`, and the `interval` that holds so great a share (`level`) of true values, where one was
    learnt: `low`, `high` and `level`."""
    half, level = getattr(generator.model, "half_width", None), getattr(generator.model, "level", None)
    rows: list[dict[str, Any]] = []
    for value in generator.regress(contents).tolist():
        interval = {"interval": {"low": value - half, "high": value + half, "level": level}} if half else {}
        rows.append({"value": value, **interval})
    return rows


def build(body: nn.Module, shape: Shape, settings: Settings) -> RegressHead:
    """`body` with a layer on top; it `Encodes`, and says the width of what it gives as `features`."""
    return RegressHead(body, len(shape.labels), settings)
