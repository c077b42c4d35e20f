"""Exponential smoothing with damped trend and season, all additive: ETS(A,Ad,A) (Hyndman, Koehler, Ord and Snyder 2008).

The four parameters of each channel are fitted once, for the smallest squared error over the whole horizon on train
windows; for a forecast the states run through the past that is given.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import minimize
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.forecasting.gaussian_forecast import GaussianForecast
from aigc_models.forecasting.quantiles import parted

MODALITIES = frozenset({"series"})
START = (0.3, 0.1, 0.1, 0.98)  # of the search: level, trend, season, damping


class Config(BaseModel):
    """How long is searched."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    windows: int = Field(150, ge=1, description="training windows that the parameters are fitted on, at most, evenly in time")
    evaluations: int = Field(120, ge=1, description="of the squared error for each channel, at most")


SIZES = {
    "debug": Config(windows=20, evaluations=10),
    "small": Config(),
    "base": Config(windows=300, evaluations=200),
    "large": Config(windows=1000, evaluations=400),
}


class ExponentialSmoothing(GaussianForecast):
    """`parameters` float (channel, 4): the shares of level, trend and season in (0, 1), and the damping in (0.8, 1)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(shape)
        self.config = config
        self.season = self.format.season if self.format.context >= 2 * self.format.season else 1
        self.state["parameters"] = torch.tensor(START).repeat(self.format.channels, 1)

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Gives the validation CRPS."""
        kept = np.unique(np.linspace(0, len(train) - 1, self.config.windows).astype(int))
        past, future = parted(train.batch(kept).values, self.format)
        for channel in range(self.format.channels):
            parameters = self.searched(past[:, channel], future[:, channel])
            self.state["parameters"][channel] = torch.from_numpy(parameters).float()
            progress(channel + 1, self.format.channels)
        self.settle(train, validation)
        return self.loss(validation)

    def searched(self, past: Tensor, future: Tensor) -> np.ndarray:
        """The best parameters float64 (4,) for windows (item, step) of one channel (Nelder and Mead 1965)."""

        def error(free: np.ndarray) -> float:
            parameters = torch.from_numpy(_bounded(free)).float()
            return float((self.continued(past, parameters) - future).square().mean())

        options = {"maxfev": self.config.evaluations, "xatol": 0.01, "fatol": 1e-7}
        return _bounded(minimize(error, _free(np.array(START)), method="Nelder-Mead", options=options).x)

    def mean(self, past: Tensor) -> Tensor:
        parts = [self.continued(past[:, channel], self.state["parameters"][channel]) for channel in range(past.shape[1])]
        return torch.stack(parts, dim=1)

    def continued(self, past: Tensor, parameters: Tensor) -> Tensor:
        """float (item, horizon), from (item, context)."""
        share, slope, swing, damping = parameters.tolist()
        level, trend, seasons = self.begun(past)
        for step, values in enumerate(past.unbind(1)):
            at = step % self.season
            error = values - (level + damping * trend + seasons[at])
            level = level + damping * trend + share * error
            trend = damping * trend + share * slope * error
            seasons[at] = seasons[at] + (1 - share) * swing * error
        steps = torch.arange(self.format.horizon)
        reach = torch.tensor(damping).pow(steps + 1).cumsum(0)
        phases = torch.stack(seasons, dim=1)[:, (past.shape[1] + steps) % self.season]
        return level[:, None] + reach * trend[:, None] + phases

    def begun(self, past: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """States before the first step: a straight line through the past, and the mean departure from it at each phase."""
        count = past.shape[1] // self.season * self.season
        used, at = past[:, :count], torch.arange(count) - (count - 1) / 2
        rounds = used.unflatten(1, (-1, self.season)).mean(2)
        places = torch.arange(rounds.shape[1]) - (rounds.shape[1] - 1) / 2
        trend = rounds @ places / (places.square().sum().clamp_min(1) * self.season)
        centre = used.mean(1)
        departures = used - centre[:, None] - trend[:, None] * at
        seasons = departures.unflatten(1, (-1, self.season)).mean(1)
        seasons = seasons - seasons.mean(1, keepdim=True)
        return centre + trend * (float(at[0]) - 1), trend, list(seasons.unbind(1))


def _bounded(free: np.ndarray) -> np.ndarray:
    """Any four numbers as parameters within their bounds."""
    inside: np.ndarray = 1 / (1 + np.exp(-free))
    inside[3] = 0.8 + 0.2 * inside[3]
    return inside


def _free(parameters: np.ndarray) -> np.ndarray:
    """The inverse of `_bounded`."""
    inside = parameters.copy()
    inside[3] = (inside[3] - 0.8) / 0.2
    return np.asarray(np.log(inside / (1 - inside)))


def build(config: Config, shape: Shape) -> ExponentialSmoothing:
    return ExponentialSmoothing(config, shape)
