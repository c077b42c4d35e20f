"""EASE: the linear model of an item from all others that has a closed form (Steck 2019, "Embarrassingly shallow autoencoders").

Histories are asked with weights that fall with age, since the last items say most of what comes next; EASE itself, which
knows no order, is the trial with a decay of 1. The table is dense, so of a large vocabulary only the items that come most
often are in it: symbols are numbered by that.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from scipy import linalg

from aigc_models.capabilities import Shape
from aigc_models.recommending.histories import UNKNOWN, Ints, recent
from aigc_models.recommending.plain import Floats, PlainRecommender, State, numbers
from aigc_models.sequences import Sequences

MODALITIES = frozenset({"events"})


class Config(BaseModel):
    """What is tried on the validation split."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    strengths: tuple[float, ...] = Field((30.0, 100.0, 300.0), description="ridges: the paper's lambda, in histories")
    decays: tuple[float, ...] = Field((0.8, 0.9, 0.95, 1.0), description="weight of an item a step further back")
    items: int = Field(4000, ge=1, description="of the vocabulary, most frequent first, that are in the table")


SIZES = {
    "debug": Config(strengths=(30.0,), decays=(0.9,), items=200),
    "small": Config(),
    "base": Config(items=8000),
    "large": Config(items=16_000),
}


class Ease(PlainRecommender):
    """`weights` float32 (item, item): what one item adds to another's score, 0 for itself."""

    def trials(self, histories: Sequences) -> Iterator[State]:
        held = recent(histories.padded(), self.vocabulary.size, 1.0, int(histories.lengths.max(initial=1)))
        held.data = np.ones_like(held.data)  # an item that comes twice counts once
        count = min(self.config.items, self.vocabulary.size)
        gram = (held.T @ held)[:count, :count].toarray().astype(np.float64)
        gram[UNKNOWN], gram[:, UNKNOWN] = 0.0, 0.0
        for strength in self.config.strengths:
            inverse = linalg.inv(gram + strength * np.eye(count), check_finite=False)
            weights = (-inverse / np.diag(inverse)).astype(np.float32)
            np.fill_diagonal(weights, 0.0)
            for decay in self.config.decays:
                yield {"weights": torch.from_numpy(weights), **numbers(decay=decay)}

    def scores(self, values: Ints) -> Floats:
        weights = self.state["weights"].numpy()
        last = recent(values, len(weights), self.number("decay"), values.shape[1])
        scores = np.zeros((len(values), self.vocabulary.size), dtype=np.float32)
        scores[:, : len(weights)] = np.maximum(last @ weights, 0.0)
        return scores


def build(config: Config, shape: Shape) -> Ease:
    return Ease(config, shape)
