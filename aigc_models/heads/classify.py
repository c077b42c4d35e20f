"""Which label an item has: a linear layer over what a body makes of the item, trained by cross-entropy.

The body is trained along, kept as it is (`tune: frozen`) or adapted (`tune: lora`): see `aigc_models.training.tuning`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Classifies, Mean, Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.errors import BadInput
from aigc_models.find import names
from aigc_models.heads import multilabel
from aigc_models.heads._linear import LinearHead

if TYPE_CHECKING:
    from aigc_models.inference import Inference

PROTOCOL = Classifies
MODALITIES = frozenset(names("aigc_models.modalities"))
MOST_LABELS, ENOUGH = 100, 5  # of labels, and train items of each, for a data set to suit the task by itself
FEWEST = 2  # train items of a label that is to be learnt


class Settings(BaseModel):
    """The layer on top, and its loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of the features that are dropped in training")
    smoothing: float = Field(0.0, ge=0, lt=1, description="share of each label's probability spread over all (Szegedy 2016)")


class ClassifyHead(LinearHead):
    """Scores each label from the body's features; items without a label teach nothing."""

    NAME = "classify"

    def classify(self, batch: Batch) -> Float[Tensor, "item label"]:
        """Before the softmax."""
        return self.scores(batch)

    def loss(self, batch: Batch) -> Mean:
        """Nats an item with a label, and how many those are."""
        labelled = batch.conditions < self.none
        scores, truth = self.classify(batch)[labelled], batch.conditions[labelled]
        total = F.cross_entropy(scores, truth, reduction="sum", label_smoothing=self.settings.smoothing)
        count = labelled.sum().clamp(min=1)
        return Mean(total / count, count)


def suits(card: Mapping[str, Any]) -> str:
    """Why a data card suits the task: labels, few enough for each to have items to learn from; empty where it does not."""
    counts: Mapping[str, int] = card.get("splits", {}).get("train", {}).get("labels", {})
    if multilabel.suits(card):  # then a label is a set of several
        return ""
    named = {label: count for label, count in counts.items() if label}
    if 2 <= len(named) <= MOST_LABELS and min(named.values()) >= ENOUGH:
        return f"the items have {len(named)} labels, each with {min(named.values())} train items or more"
    return ""


def check(shape: Shape, train: Corpus) -> None:
    """Two labels at least, each with as many train items as it takes to learn and check one."""
    counts = np.bincount(np.asarray(train.conditions), minlength=len(shape.labels) + 1)[: len(shape.labels)]
    few = [f"{label!r} has {count}" for label, count in zip(shape.labels, counts, strict=True) if count < FEWEST]
    if len(shape.labels) < 2:
        only = f"all are {shape.labels[0]!r}" if shape.labels else "the items have none, or numbers of many values"
        raise BadInput(
            f"to classify takes two labels or more, and {only}; say where labels stand with `aigc data add --label`, or use "
            "--task regress for numbers"
        )
    if few:
        raise BadInput(
            f"to classify takes {FEWEST} train items of each label, and {', '.join(few[:5])}: add some, or leave them out"
        )


def answers(generator: Inference, contents: Sequence[Any]) -> list[dict[str, Any]]:
    """Of each content the likeliest `label`, its `probability`, and the `probabilities` of all."""
    return rows(generator.card.labels, generator.classify(contents))


def rows(labels: Sequence[str], shares: Float[Tensor, "item label"]) -> list[dict[str, Any]]:
    """The same of probabilities."""
    said = []
    for row in shares.tolist():
        probabilities = dict(zip(labels, row, strict=True))
        best = max(probabilities, key=lambda label: probabilities[label])
        said.append({"label": best, "probability": probabilities[best], "probabilities": probabilities})
    return said


def build(body: nn.Module, shape: Shape, settings: Settings) -> ClassifyHead:
    """`body` with a layer on top; it `Encodes`, and says the width of what it gives as `features`."""
    return ClassifyHead(body, len(shape.labels), len(shape.labels), settings)
