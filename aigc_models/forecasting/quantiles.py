"""Forecasts as quantiles: how they are judged, and those of a Gaussian."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from aigc_models.capabilities import Forecasts
from aigc_models.corpus import Corpus

if TYPE_CHECKING:
    from aigc_models.modalities.series import Format

LEVELS = 50  # of the CRPS
BATCH = 256  # windows forecast at a time

Levels = Float[Tensor, " level"]
Futures = Float[Tensor, "item channel horizon"]
Quantiles = Float[Tensor, "item channel horizon level"]


def grid(count: int = LEVELS) -> Levels:
    """Evenly spaced levels: the middles of `count` equal parts of (0, 1)."""
    return (torch.arange(count, dtype=torch.float64) + 0.5).div(count).float()


def crps(quantiles: Quantiles, target: Futures, levels: Levels) -> Futures:
    """Twice the mean pinball loss.

    At many evenly spaced levels it is the continuous ranked probability score (Laio and Tamea 2007, section 2.3).
    """
    above = target[..., None] - quantiles
    return 2 * torch.maximum(levels * above, (levels - 1) * above).mean(-1)


def scores(levels: Levels) -> Levels:
    """Quantiles of the standard normal."""
    return torch.special.ndtri(levels.double()).to(levels.dtype)


def gaussian(mean: Futures, spread: Float[Tensor, "*spread"], levels: Levels) -> Quantiles:
    """Quantiles of Gaussians with this mean and standard deviation (broadcast to it)."""
    return mean[..., None] + spread[..., None] * scores(levels.to(mean))


def gaussian_crps(errors: Futures, spread: Float[Tensor, "*spread"]) -> Futures:
    """The score of Gaussians whose means are off by `errors` (Gneiting and Raftery 2007, equation 21)."""
    wide = errors / spread
    density = torch.exp(-wide.square() / 2) / math.sqrt(2 * math.pi)
    return spread * (wide * (2 * torch.special.ndtr(wide) - 1) + 2 * density - 1 / math.sqrt(math.pi))


def parted(
    windows: Float[Tensor, "item channel time"], format: Format
) -> tuple[Float[Tensor, "item channel context"], Futures]:
    """Past and future of whole windows."""
    return windows[..., : format.context], windows[..., format.context :]


@torch.no_grad()
def window_crps(model: Forecasts, windows: Corpus, format: Format) -> Float[Tensor, "item channel"]:
    """The score of each window and channel in turn, the mean over its horizon: float64, standardised."""
    levels, errors = grid(), [torch.zeros(0, format.channels, dtype=torch.float64)]
    for batch in windows.batches(BATCH):
        past, future = parted(batch.values, format)
        quantiles = model.forecast(past, batch.conditions, levels).cpu()
        errors.append(crps(quantiles, future, levels).double().mean(-1))
    return torch.cat(errors)
