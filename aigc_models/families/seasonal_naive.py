"""The last season again, with or without the drift from season to season (Hyndman and Athanasopoulos 2021, section 5.2)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.forecasting.gaussian_forecast import GaussianForecast

MODALITIES = frozenset({"series"})


class Config(BaseModel):
    """What is tried on the validation split."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    drifts: tuple[float, ...] = Field((0.0, 1.0), description="shares of the past's drift that goes on, those to try")


SIZES = {"debug": Config(), "small": Config(), "base": Config(), "large": Config()}


class SeasonalNaive(GaussianForecast):
    """Where the past is shorter than two seasons, the drift is that from its first to its last step."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(shape)
        self.config = config
        self.state["drift"] = torch.zeros(1)

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Keep the share of the drift with the lowest validation CRPS, which is returned."""
        tried = []
        for step, share in enumerate(self.config.drifts, start=1):
            self.state["drift"] = torch.tensor([share])
            self.settle(train, validation)
            tried.append((self.loss(validation), share, dict(self.state)))
            progress(step, len(self.config.drifts), validation_crps=tried[-1][0], drift=share)
        loss, _, self.state = min(tried, key=lambda one: one[:2])
        return loss

    def mean(self, past: Tensor) -> Tensor:
        season, steps = self.format.season, torch.arange(self.format.horizon)
        again = past[..., -season:][..., steps % season]
        return again + self.state["drift"] * drift(past, season)[..., None] * (steps // season + 1) * season


def drift(past: Tensor, season: int) -> Tensor:
    """Change a step, float (item, channel), between the means of the last two seasons."""
    if past.shape[-1] >= 2 * season and season > 1:
        return (past[..., -season:].mean(-1) - past[..., -2 * season : -season].mean(-1)) / season
    return (past[..., -1] - past[..., 0]) / max(1, past.shape[-1] - 1)


def build(config: Config, shape: Shape) -> SeasonalNaive:
    return SeasonalNaive(config, shape)
