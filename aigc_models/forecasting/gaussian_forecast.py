"""What the plain forecasters share: a mean for each future step, and Gaussian residuals.

How the residuals' widths differ from step to step is taken from train, how wide they are as a whole from validation:
a method is too sure of what it was fitted to. That one scale is the best in CRPS (Gneiting and Raftery 2007, section 4.2),
shrunk towards 1, since a short validation split tells it badly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.forecasting.copula import Copula, through
from aigc_models.forecasting.quantiles import BATCH, gaussian, gaussian_crps, grid, parted, window_crps

if TYPE_CHECKING:
    from aigc_models.modalities.series import Format

MOST = 3000  # windows that the residuals are taken from, evenly in time
WIDEST = 5.0  # times the width on train, and its inverse the narrowest
PRIOR = 2.0  # horizons that count for the width on train; on rolled origins of weekly CO2 1 to 4 did alike
LEAST_SPREAD = 1e-4  # standardised; of a series that never changed


class GaussianForecast:
    """A family gives the `mean` of each step; `state` holds all that was fitted, as tensors."""

    def __init__(self, shape: Shape) -> None:
        self.format: Format = shape.format
        steps = (self.format.channels, self.format.horizon)
        self.state: dict[str, Tensor] = {"spread": torch.ones(steps), **copula_state(Copula(*steps))}

    def mean(self, past: Float[Tensor, "item channel context"]) -> Float[Tensor, "item channel horizon"]:
        """float (item, channel, horizon) from float (item, channel, context)."""
        raise TypeError(f"{type(self).__name__} has no mean")

    def settle(self, train: Corpus, validation: Corpus) -> None:
        """Take the copula and the width of each step from the residuals on `train`, and their scale from `validation`."""
        residuals = self.residuals(train)
        spread = residuals.double().square().mean(0).sqrt().float().clamp_min(LEAST_SPREAD)
        copula = Copula(self.format.channels, self.format.horizon)
        copula.learn(residuals / spread)
        horizons = len(validation) * self.format.stride / self.format.horizon
        scale = best_scale(self.residuals(validation), spread) ** (horizons / (horizons + PRIOR)) if len(validation) else 1.0
        self.state |= {"spread": scale * spread, **copula_state(copula)}

    @torch.no_grad()
    def residuals(self, windows: Corpus) -> Float[Tensor, "item channel horizon"]:
        """True values minus means, of at most `MOST` windows."""
        windows = windows.take(np.unique(np.linspace(0, len(windows) - 1, min(len(windows), MOST)).astype(int)))
        parts = [parted(batch.values, self.format) for batch in windows.batches(BATCH)]
        return torch.cat([future - self.mean(past) for past, future in parts])

    def loss(self, corpus: Corpus) -> float:
        """CRPS, standardised, over all windows, channels and steps; zero without windows."""
        return float(window_crps(self, corpus, self.format).mean()) if len(corpus) else 0.0

    def forecast(
        self, past: Float[Tensor, "item channel context"], conditions: Int[Tensor, " item"], levels: Float[Tensor, " level"]
    ) -> Float[Tensor, "item channel horizon level"]:
        """Quantiles float (item, channel, horizon, level)."""
        return gaussian(self.mean(past.cpu()), self.state["spread"], levels.cpu()).to(past.device)

    def generate(
        self, conditions: Int[Tensor, " item"], seeds: Int[Tensor, " item"], **sampling: Any
    ) -> Float[Tensor, "item channel horizon"]:
        """One path for each `past` float (item, channel, context): float (item, channel, horizon).

        `temperature` scales the spread (1 = as fitted).
        """
        copula = Copula(self.format.channels, self.format.horizon)
        copula.load_state_dict({name: self.state[f"copula.{name}"] for name in copula.state_dict()})
        drawn = copula.draw(seeds) * float(sampling.get("temperature", 1.0))
        levels = grid()
        return through(self.forecast(sampling["past"].cpu(), conditions, levels), levels, drawn).to(conditions.device)

    def state_dict(self) -> Mapping[str, Tensor]:
        return dict(self.state)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.state = {name: tensor.clone() for name, tensor in state.items()}


def best_scale(residuals: Float[Tensor, "item channel horizon"], spread: Float[Tensor, "channel horizon"]) -> float:
    """The factor on `spread` with the lowest CRPS of Gaussians around zero for these residuals."""

    def score(logarithm: float) -> float:
        return float(gaussian_crps(residuals, spread * float(np.exp(logarithm))).double().mean())

    bound = float(np.log(WIDEST))
    return float(np.exp(minimize_scalar(score, bounds=(-bound, bound), method="bounded", options={"xatol": 1e-3}).x))


def copula_state(copula: Copula) -> dict[str, Tensor]:
    """Its tensors as they are named in a bundle."""
    return {f"copula.{name}": tensor for name, tensor in copula.state_dict().items()}
