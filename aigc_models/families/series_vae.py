"""Conditional variational autoencoder of futures (Sohn, Lee and Yan 2015): the future's code given the past.

A season's course and a linear map make the middle (see `past`); the code says in which way this future departs from it,
each step's own noise is what is left. Quantiles are those of draws with fixed seeds. Starts from `masked_series`.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from aigc_models.capabilities import Player, Shape
from aigc_models.corpus import Batch
from aigc_models.forecasting.past import EncodedPast, Past, PastConfig
from aigc_models.forecasting.quantiles import crps, grid, parted
from aigc_models.layers.noise import STEPS, normal

MODALITIES = frozenset({"series"})
BODY = "masked_series"
PLAN = {"learning_rate": 5e-3, "batch_size": 64, "ema": 0.998, "weight_decay": 0.05}
LEVELS = 20  # that the validation loss looks at


class Config(PastConfig):
    """What stands on the past."""

    code: int = Field(8, ge=1, description="length of the code of a future, numbers")
    hidden: int = Field(32, ge=1, description="width of the hidden layers")
    draws: int = Field(100, ge=10, description="futures that a forecast takes its quantiles from; each has a mirror image")
    at_once: int = Field(50_000, ge=1, description="futures that are decoded together, at most")


SIZES = {
    "debug": Config(width=8, hidden=16, draws=20),
    "small": Config(),
    "base": Config(width=64, layers=3, code=16, hidden=256, draws=200),
    "large": Config(width=256, layers=6, code=32, hidden=1024, draws=400),
}


class SeriesVae(nn.Module):
    """Past and future -> code -> future; without a future the code comes from what the past lets expect."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.config, self.format = config, shape.format
        horizon, features = self.format.horizon, self.format.horizon + config.hidden
        self.past = Past(config, shape)
        self.told = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(self.past.features, config.hidden), nn.GELU())
        self.posterior = mlp(features, config.hidden, 2 * config.code)
        self.prior = nn.Linear(config.hidden, 2 * config.code)
        self.decoder = mlp(config.code + config.hidden, config.hidden, horizon)
        self.spread = nn.Linear(config.hidden, horizon)
        for layer in (self.prior, self.spread):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.spread.bias, -1.5)

    def encode(self, past: Tensor, conditions: Tensor) -> tuple[EncodedPast, Tensor]:
        """What a future is built on, and the features (row, hidden) that the code and the future depend on."""
        encoded = self.past(past, conditions)
        return encoded, self.told(encoded.features)

    def rest(self, future: Tensor, encoded: EncodedPast) -> Tensor:
        """How the future (item, channel, horizon) departs from the middle: (row, horizon)."""
        return (future.flatten(0, 1) - encoded.level) / encoded.width - encoded.middle

    def players(self) -> list[Player]:
        return [Player("bound", list(self.parameters()), self.loss)]

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        return self.bound(batch, torch.randn(batch.values.shape[0] * batch.values.shape[1], self.config.code).to(batch.values))

    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """CRPS of the forecast, standardised, by which plain methods and ensembles are chosen too."""
        past, future = parted(batch.values, self.format)
        levels = grid(LEVELS).to(future)
        return crps(self.forecast(past, batch.conditions, levels), future, levels).mean()

    def bound(self, batch: Batch, noise: Tensor) -> Tensor:
        """Nats a step: minus the evidence lower bound, by one draw of the code."""
        past, future = parted(batch.values, self.format)
        encoded, features = self.encode(past, batch.conditions)
        rest = self.rest(future, encoded)
        mean, log_scale = halves(self.posterior(torch.cat([rest, features], dim=1)))
        before, log_before = halves(self.prior(features))
        error = rest - self.decoded(mean + log_scale.exp() * noise, features)
        log_spread = self.log_spread(features)
        likelihood = -0.5 * (error / log_spread.exp()).square() - log_spread - 0.5 * math.log(2 * math.pi)
        apart = log_before - log_scale + 0.5 * ((2 * log_scale).exp() + (mean - before).square()) / (2 * log_before).exp() - 0.5
        return (apart.sum(1) - likelihood.sum(1)).mean() / self.format.horizon

    def decoded(self, code: Tensor, features: Tensor) -> Tensor:
        """The departure from the middle (..., horizon)."""
        out: Tensor = self.decoder(torch.cat([code, features], dim=-1))
        return out

    def log_spread(self, features: Tensor) -> Tensor:
        """Of each step's own noise (row, horizon)."""
        log_spread: Tensor = self.spread(features).clamp(-8, 3)
        return log_spread

    def drawn(self, encoded: EncodedPast, features: Tensor, codes: Tensor, noise: Tensor) -> Tensor:
        """Futures (row, ..., horizon) from standard normal codes (row, ..., code) and noise (row, ..., horizon)."""
        wide = (slice(None), *[None] * (codes.ndim - 2))
        before, log_before = halves(self.prior(features)[wide])
        wide_features = features[wide].expand(*codes.shape[:-1], -1)
        rest = self.decoded(before + log_before.exp() * codes, wide_features) + self.log_spread(features)[wide].exp() * noise
        return (encoded.middle[wide] + rest) * encoded.width[wide] + encoded.level[wide]

    @torch.no_grad()
    def forecast(
        self, past: Float[Tensor, "item channel context"], conditions: Int[Tensor, " item"], levels: Float[Tensor, " level"]
    ) -> Float[Tensor, "item channel horizon level"]:
        """Float (item, channel, horizon, level): quantiles of the same draws of code and noise for all."""
        place, original = self.spread.weight, past
        past, conditions = past.to(place), conditions.to(place.device)
        draws = normal(torch.arange(self.config.draws), (self.config.code + self.format.horizon,))
        draws = torch.cat([draws, -draws]).to(place)
        step = max(1, self.config.at_once // (len(draws) * past.shape[1]))
        parts = [
            self._quantiles(past[at : at + step], conditions[at : at + step], draws, levels) for at in range(0, len(past), step)
        ]
        return torch.cat(parts).to(original.device)

    def _quantiles(self, past: Tensor, conditions: Tensor, draws: Tensor, levels: Tensor) -> Tensor:
        encoded, features = self.encode(past, conditions)
        codes, noise = draws.expand(len(features), -1, -1).split([self.config.code, self.format.horizon], dim=2)
        futures = self.drawn(encoded, features, codes, noise)
        quantiles = torch.quantile(futures, levels.to(past), dim=1)  # (level, row, horizon)
        return quantiles.permute(1, 2, 0).unflatten(0, past.shape[:2])

    @torch.no_grad()
    def generate(
        self, conditions: Int[Tensor, " item"], seeds: Int[Tensor, " item"], **sampling: Any
    ) -> Float[Tensor, "item channel horizon"]:
        """One path for each `past` (item, channel, context); `temperature` scales its spread."""
        place = self.spread.weight
        past = sampling["past"].to(place)
        noise = normal(seeds, (past.shape[1], self.config.code)), normal(seeds, (past.shape[1], self.format.horizon), STEPS)
        code, step_noise = (float(sampling.get("temperature", 1.0)) * part.flatten(0, 1).to(place) for part in noise)
        drawn = self.drawn(*self.encode(past, conditions.to(place.device)), code, step_noise)
        return drawn.unflatten(0, past.shape[:2]).to(conditions.device)

    @torch.no_grad()
    def reconstruct(self, values: Float[Tensor, "item channel time"]) -> Float[Tensor, "item channel time"]:
        """Windows whose future went through its mean code and back; their past is as it was."""
        past, future = parted(values, self.format)
        encoded, features = self.encode(past, torch.zeros(len(past), dtype=torch.int64, device=past.device))
        mean, _ = halves(self.posterior(torch.cat([self.rest(future, encoded), features], dim=1)))
        rebuilt = (encoded.middle + self.decoded(mean, features)) * encoded.width + encoded.level
        return torch.cat([past, rebuilt.unflatten(0, past.shape[:2])], dim=2)

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]:
        """The mean code of each channel's future, float (item, channel x code)."""
        past, future = parted(batch.values, self.format)
        encoded, features = self.encode(past, batch.conditions)
        mean, _ = halves(self.posterior(torch.cat([self.rest(future, encoded), features], dim=1)))
        return mean.unflatten(0, past.shape[:2]).flatten(1)


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, outputs))


def halves(values: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log of the standard deviation."""
    mean, log_scale = values.chunk(2, dim=-1)
    return mean, log_scale.clamp(-6, 3)


def build(config: Config, shape: Shape) -> SeriesVae:
    return SeriesVae(config, shape)
