"""Weighted mean of the members' quantiles, level by level (Vincentization; Lichtendahl, Grushka-Cockayne and Winkler 2013).

The weights minimise the CRPS of the mean on the validation split, which is convex in them, and are shrunk towards equal
ones: on few horizons learned weights are mostly noise (Claeskens, Magnus, Vasnev and Wang 2016). At least by members /
(members + horizons of validation), and further as far as that helps in the other half of the validation time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import minimize
from torch import Tensor

from aigc_models.capabilities import Forecasts, Generates, Shape
from aigc_models.corpus import Corpus
from aigc_models.forecasting.copula import back, through
from aigc_models.forecasting.quantiles import crps, grid, parted
from aigc_models.layers.noise import MEMBER, choose, uniform

MODALITIES = frozenset({"series"})


class Settings(BaseModel):
    """How the weights are learned."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rounds: int = Field(50, ge=1, description="steps of the weights' descent, at most")
    shrinks: tuple[float, ...] = Field((0.0, 0.25, 0.5, 0.75, 1.0), description="shares of equal weights that are tried")
    within: float = Field(2.0, ge=1, description="a member whose own CRPS is more times the best one's is left out")
    least: float = Field(0.02, ge=0, lt=1, description="a smaller weight becomes 0, and its member is not asked any more")
    most: int = Field(2000, ge=1, description="validation windows times channels that weights are learned on, at most")


class QuantileAverage:
    """`members` by name, and `weights` that sum to 1. Forecasts and generates like a member."""

    def __init__(self, members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> None:
        total = sum(weights[name] for name in members)
        self.members, self.settings = dict(members), settings
        self.weights = {name: weights[name] / total for name in members}
        self._asked = {name: member for name, member in members.items() if self.weights[name] > 0}

    def forecast(
        self, past: Float[Tensor, "item channel context"], conditions: Int[Tensor, " item"], levels: Float[Tensor, " level"]
    ) -> Float[Tensor, "item channel horizon level"]:
        """Float (item, channel, horizon, level)."""
        return self._mean(self._each(past, conditions, levels))

    def _each(self, past: Tensor, conditions: Tensor, levels: Tensor) -> dict[str, Tensor]:
        return {name: cast(Forecasts, member).forecast(past, conditions, levels) for name, member in self._asked.items()}

    def _mean(self, quantiles: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([self.weights[name] * each for name, each in quantiles.items()]).sum(0)

    def generate(
        self, conditions: Int[Tensor, " item"], seeds: Int[Tensor, " item"], **sampling: Any
    ) -> Float[Tensor, "item channel horizon"]:
        """One path for each `past`: the course is that of a member drawn by weight, the values are the average's.

        The ranks of the member's path among its own quantiles are taken over (ensemble copula coupling,
        Schefzik, Thorarinsdottir and Gneiting 2013), so that each step is distributed as `forecast` says.
        """
        past, levels = sampling["past"], grid()
        quantiles = {name: each.cpu() for name, each in self._each(past, conditions, levels).items()}
        mean = self._mean(quantiles)
        shares = torch.tensor([self.weights[name] for name in quantiles])
        drawn = choose(shares.expand(len(seeds), -1), uniform(seeds, stream=MEMBER)[:, 0])
        paths = torch.zeros_like(mean[..., 0])
        for index, (name, member_quantiles) in enumerate(quantiles.items()):
            path = cast(Generates, self._asked[name]).generate(conditions, seeds, **sampling).cpu()
            ranks = back(member_quantiles, levels, path)
            paths = torch.where((drawn == index)[:, None, None], through(mean, levels, ranks), paths)
        return paths.to(conditions.device)


def fit(
    members: Mapping[str, object],
    train: Corpus,
    validation: Corpus,
    shape: Shape,
    settings: Settings,
    seed: int,
    progress: Callable[..., None],
) -> QuantileAverage:
    """Learn the weights on `validation`; `train` is not looked at, since the members know it by heart."""
    if len(members) == 1 or not len(validation):
        return build(members, dict.fromkeys(members, 1.0), settings)
    most = max(2, settings.most // shape.format.channels)
    held = validation.take(np.unique(np.linspace(0, len(validation) - 1, min(most, len(validation))).astype(int)))
    batch, levels = held.batch(np.arange(len(held))), grid()
    past, future = parted(batch.values, shape.format)
    forecasts = []
    with torch.no_grad():
        for step, member in enumerate(members.values(), start=1):
            forecasts.append(cast(Forecasts, member).forecast(past, batch.conditions, levels).cpu())
            progress(step, len(members))
    horizons = len(validation) * shape.format.stride / shape.format.horizon
    weights = chosen(torch.stack(forecasts), future, horizons, settings)
    return build(members, dict(zip(members, weights.tolist(), strict=True)), settings)


def chosen(quantiles: Tensor, target: Tensor, horizons: float, settings: Settings) -> Tensor:
    """Weights (member,) from quantiles (member, item, channel, horizon, level), items in the order of time.

    `horizons`: how many of them, one after the other, the items cover.
    """
    alone = torch.stack([crps(each, target, grid()).mean() for each in quantiles])
    good = alone <= settings.within * alone.min()
    weights = torch.zeros(len(quantiles))
    weights[good] = shrunk(quantiles[good], target, horizons, settings)
    weights = torch.where(weights >= min(settings.least, float(weights.max())), weights, 0.0)
    return weights / weights.sum()


def shrunk(quantiles: Tensor, target: Tensor, horizons: float, settings: Settings) -> Tensor:
    """The best weights (member,), mixed with as large a share of equal ones as serves the other half of the time best."""
    members, items = quantiles.shape[:2]
    equal, least = torch.full((members,), 1 / members), members / (members + horizons)
    first = torch.arange(items) < items // 2
    losses = dict.fromkeys(sorted({max(least, share) for share in settings.shrinks}), 0.0)
    for part in (first, ~first):
        weights = descended(quantiles[:, part], target[part], settings)
        for share in losses:
            losses[share] += float(loss((1 - share) * weights + share * equal, quantiles[:, ~part], target[~part]))
    share = min(losses, key=lambda one: losses[one])
    return (1 - share) * descended(quantiles, target, settings) + share * equal


def loss(weights: Tensor, quantiles: Tensor, target: Tensor) -> Tensor:
    """Mean CRPS of the weighted mean."""
    return crps(torch.einsum("m,mnchl->nchl", weights, quantiles), target, grid()).mean()


def descended(quantiles: Tensor, target: Tensor, settings: Settings) -> Tensor:
    """The best weights, on the simplex (sequential quadratic programming, Kraft 1988)."""
    members = len(quantiles)
    start = np.full(members, 1 / members)
    scale = float(loss(torch.from_numpy(start).float(), quantiles, target)) + 1e-12

    def value(weights: np.ndarray) -> tuple[float, np.ndarray]:
        free = torch.from_numpy(weights).float().requires_grad_()
        objective = loss(free, quantiles, target) / scale
        (gradient,) = torch.autograd.grad(objective, free)
        return objective.item(), gradient.double().numpy()

    total = {"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": lambda weights: np.ones(members)}
    options = {"maxiter": settings.rounds, "ftol": 1e-6}
    solution = minimize(value, start, jac=True, bounds=[(0, 1)] * members, constraints=[total], method="SLSQP", options=options)
    weights = torch.from_numpy(np.clip(solution.x, 0, None)).float()
    return weights / weights.sum()


def build(members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> QuantileAverage:
    """From given weights; equal ones give the plain average."""
    return QuantileAverage(members, weights, settings)
