"""Ridge regression from the past to every future step (Hoerl and Kennard 1970), with Gaussian residuals.

Past and future are measured from a level of the past itself, its last value or its mean, so that trends go on where
the series stands (as in NLinear, Zeng et al. 2023). Channels are independent of each other.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.forecasting.gaussian_forecast import GaussianForecast
from aigc_models.forecasting.quantiles import parted

MODALITIES = frozenset({"series"})


class Config(BaseModel):
    """What is tried on the validation split."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    strengths: tuple[float, ...] = Field(
        (1e-5, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0), description="ridges to try, as shares of the inputs' mean variance"
    )
    levels: tuple[int, ...] = Field(
        (1, 0), description="last steps whose mean the values are measured from, those to try; 0: a season"
    )
    pooled: tuple[bool, ...] = Field((False, True), description="whether all channels share their weights, those to try")
    most: int = Field(20_000, description="training windows looked at; more are sampled down, evenly in time")


SIZES = {"debug": Config(strengths=(0.01, 0.1), levels=(1,)), "small": Config(), "base": Config(), "large": Config()}


class Linear(GaussianForecast):
    """`weights` float (channel, context, horizon), `offset` float (channel, horizon), `level` int64 (1,)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(shape)
        self.config, self.past = config, self.format.context

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Try every choice in `config`; gives the lowest validation CRPS, whose choice is kept."""
        kept = np.arange(0, len(train), -(-len(train) // self.config.most))
        windows = train.batch(kept).values
        pooled = self.config.pooled if self.format.channels > 1 else (False,)
        choices = list(product(sorted({self.level(one) for one in self.config.levels}), pooled))
        best: list[tuple[float, int, dict[str, Tensor]]] = []
        for step, (level, shared) in enumerate(choices, start=1):
            for strength, weights in self.solved(windows, level, shared).items():
                self.state |= weights
                self.settle(train, validation)
                loss = self.loss(validation)
                progress(step, len(choices), validation_crps=loss, level=level, pooled=shared, strength=strength)
                best = [min([*best, (loss, step, dict(self.state))], key=lambda one: one[:2])]
        loss, _, self.state = best[0]
        return loss

    def level(self, steps: int) -> int:
        """Steps whose mean the level is."""
        return min(steps or self.format.season, self.format.context)

    def solved(self, windows: Tensor, level: int, pooled: bool) -> dict[float, dict[str, Tensor]]:
        """The weights for each strength."""
        past, future = parted(windows.double(), self.format)
        base = past[..., -level:].mean(-1, keepdim=True)
        inputs, targets = ((part - base).transpose(0, 1) for part in (past, future))  # (channel, item, step)
        if pooled:
            inputs, targets = inputs.flatten(0, 1)[None], targets.flatten(0, 1)[None]
        middle, offset = inputs.mean(1, keepdim=True), targets.mean(1, keepdim=True)
        inputs, targets = inputs - middle, targets - offset
        gram, moment = inputs.mT @ inputs, inputs.mT @ targets
        variance = gram.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] + 1e-9
        solutions = {}
        for strength in self.config.strengths:
            weights = torch.linalg.solve(gram + strength * variance * torch.eye(self.past, dtype=torch.float64), moment)
            shapes = {"weights": (-1, -1, -1), "offset": (-1, -1)}
            parts = {"weights": weights, "offset": (offset - middle @ weights)[:, 0]}
            solutions[strength] = {
                name: part.float().expand(self.format.channels, *shapes[name][1:]).contiguous() for name, part in parts.items()
            } | {"level": torch.tensor([level])}
        return solutions

    def mean(self, past: Tensor) -> Tensor:
        level = int(self.state["level"])
        base = past[..., -level:].mean(-1, keepdim=True)
        return base + torch.einsum("nct,cth->nch", past - base, self.state["weights"]) + self.state["offset"]


def build(config: Config, shape: Shape) -> Linear:
    return Linear(config, shape)
