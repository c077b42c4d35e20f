"""The same answer whatever the item is: how often labels come in the train items, or the mean of their numbers. What any other
model has to beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.find import names

MODALITIES = frozenset(names("aigc_models.modalities"))


class Config(BaseModel):
    """Nothing is chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


SIZES = {"debug": Config(), "small": Config(), "base": Config(), "large": Config()}


class Constant:
    """`answer` float32 (output,) is all there is."""

    def __init__(self, outputs: int) -> None:
        self.answer = torch.zeros(outputs)

    def all_alike(self, batch: Batch) -> Float[Tensor, "item output"]:
        """The answer for each item, on the batch's device."""
        return self.answer.to(batch.conditions.device).expand(len(batch), -1)

    def state_dict(self) -> Mapping[str, Tensor]:
        return {"answer": self.answer.clone()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        if state["answer"].shape != self.answer.shape:
            raise ValueError(f"an answer of {tuple(state['answer'].shape)} where {tuple(self.answer.shape)} is needed")
        self.answer = state["answer"].float().clone()


class ConstantLabels(Constant):
    """The share of the train items that have a label, for each; half an item more with and without."""

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Gives the loss of validation, nats a label."""
        truth, wanted = (torch.from_numpy(np.asarray(corpus.answered().targets)) for corpus in (train, validation))
        self.answer = ((truth.sum(0) + 0.5) / (len(truth) + 1)).logit().float()
        loss = torch.nn.functional.binary_cross_entropy_with_logits
        return float(loss(self.answer.expand(len(wanted), -1), wanted)) if len(wanted) else 0.0

    def assign(self, batch: Batch) -> Float[Tensor, "item label"]:
        """A logit for each label."""
        return self.all_alike(batch)


class ConstantNumber(Constant):
    """The mean of the train items' numbers."""

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Gives the mean squared error of validation."""
        truth, wanted = (np.asarray(corpus.answered().targets, dtype=np.float64) for corpus in (train, validation))
        self.answer = torch.from_numpy(truth.mean(0)).float()
        return float(np.square(wanted - truth.mean(0)).mean()) if len(wanted) else 0.0

    def regress(self, batch: Batch) -> Float[Tensor, " item"]:
        """In the unit of the data's own numbers."""
        return self.all_alike(batch)[:, 0]


def build(config: Config, shape: Shape) -> Constant:
    """What answers the shape's task; what it gives for others than these two can nothing."""
    if shape.task == "multilabel":
        return ConstantLabels(len(shape.labels))
    return ConstantNumber(1) if shape.task == "regress" else Constant(0)
