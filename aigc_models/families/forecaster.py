"""Quantiles of the future straight from the past, trained by pinball loss (Koenker and Bassett 1978).

A season's course and a linear map make the middle (see `past`), a patch mixer that starts at nothing adds what they miss. Each
step has a width, and gaps between its quantiles that cannot be negative, so that quantiles never cross (as in Park et al.
2022). Starts from `masked_series`: its encoder and its season.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Player, Shape
from aigc_models.corpus import Batch
from aigc_models.forecasting.copula import Copula, at, back, through
from aigc_models.forecasting.past import Past, PastConfig
from aigc_models.forecasting.quantiles import crps, grid, parted, scores

MODALITIES = frozenset({"series"})
BODY = "masked_series"
PLAN = {"learning_rate": 5e-3, "batch_size": 64, "ema": 0.998, "weight_decay": 0.05}
FORGET = 0.02  # share of the copula that each step replaces


class Config(PastConfig):
    """What stands on the past."""

    levels: int = Field(20, ge=2, description="quantiles that are learnt, evenly spaced; others lie between them")


SIZES = {
    "debug": Config(width=8, layers=1, levels=10),
    "small": Config(),
    "base": Config(width=64, layers=3),
    "large": Config(width=256, layers=6),
}


class Forecaster(nn.Module):
    """Each channel on its own, all with the same weights, the season's course and a bias aside."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.levels: Tensor
        self.gaps: Tensor
        self.config, self.format = config, shape.format
        self.past = Past(config, shape)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(self.past.features, self.format.horizon * (1 + config.levels))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.copula = Copula(self.format.channels, self.format.horizon)
        levels = grid(config.levels)
        self.register_buffer("levels", levels, persistent=False)
        self.register_buffer("gaps", scores(levels).diff().expm1().log(), persistent=False)

    def quantiles(self, past: Tensor, conditions: Tensor) -> Tensor:
        """float (item, channel, horizon, level) at the levels that are learnt."""
        encoded = self.past(past, conditions)
        out = self.head(self.dropout(encoded.features)).unflatten(1, (self.format.horizon, -1))
        gaps = F.softplus(self.gaps + out[..., 2:])
        shape = F.pad(gaps.cumsum(-1), (1, 0)) + scores(self.levels)[0]
        standardised = (encoded.middle + out[..., 0])[..., None] + 0.3 * F.softplus(out[..., 1:2]) * shape
        return (standardised * encoded.width[..., None] + encoded.level[..., None]).unflatten(0, past.shape[:2])

    def players(self) -> list[Player]:
        return [Player("pinball", list(self.parameters()), self.loss)]

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """CRPS at the levels that are learnt, standardised; the copula follows the errors."""
        past, future = parted(batch.values, self.format)
        quantiles = self.quantiles(past, batch.conditions)
        self.copula.learn(back(quantiles.detach().float(), self.levels, future), FORGET)
        return crps(quantiles, future, self.levels).mean()

    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        past, future = parted(batch.values, self.format)
        return crps(self.quantiles(past, batch.conditions), future, self.levels).mean()

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]:
        """Float (item, feature): the patches of the past, averaged over patches and channels."""
        past, _ = parted(batch.values, self.format)
        features = self.past(past, batch.conditions).features
        return features.unflatten(1, (-1, self.config.width)).mean(1).unflatten(0, past.shape[:2]).mean(1)

    @torch.no_grad()
    def forecast(
        self, past: Float[Tensor, "item channel context"], conditions: Int[Tensor, " item"], levels: Float[Tensor, " level"]
    ) -> Float[Tensor, "item channel horizon level"]:
        """Float (item, channel, horizon, level)."""
        place = self.head.weight
        quantiles = self.quantiles(past.to(place), conditions.to(place.device))
        return at(quantiles, self.levels.cpu(), levels.cpu()).to(past.device)

    @torch.no_grad()
    def generate(
        self, conditions: Int[Tensor, " item"], seeds: Int[Tensor, " item"], **sampling: Any
    ) -> Float[Tensor, "item channel horizon"]:
        """One path for each `past` (item, channel, context), through the copula; `temperature` scales its spread."""
        place = self.head.weight
        quantiles = self.quantiles(sampling["past"].to(place), conditions.to(place.device))
        drawn = self.copula.draw(seeds) * float(sampling.get("temperature", 1.0))
        return through(quantiles, self.levels, drawn.to(place)).to(conditions.device)


def build(config: Config, shape: Shape) -> Forecaster:
    return Forecaster(config, shape)
