"""Forecasts as quantiles: how they are judged, and those of a Gaussian.

Shapes: targets float (item, channel, horizon), quantiles float (item, channel, horizon, level), levels float (level,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from aigc_models.capabilities import Forecasts
from aigc_models.corpus import Corpus

if TYPE_CHECKING:
    from aigc_models.modalities.series import Format

LEVELS = 50  # of the CRPS
BATCH = 256  # windows forecast at a time


def grid(count: int = LEVELS) -> Tensor:
    """Evenly spaced levels: the middles of `count` equal parts of (0, 1)."""
    return (torch.arange(count, dtype=torch.float64) + 0.5).div(count).float()


def crps(quantiles: Tensor, target: Tensor, levels: Tensor) -> Tensor:
    """Twice the mean pinball loss, float (item, channel, horizon).

    At many evenly spaced levels it is the continuous ranked probability score (Laio and Tamea 2007, section 2.3).
    """
    above = target[..., None] - quantiles
    return 2 * torch.maximum(levels * above, (levels - 1) * above).mean(-1)


def scores(levels: Tensor) -> Tensor:
    """Quantiles of the standard normal."""
    return torch.special.ndtri(levels.double()).to(levels.dtype)


def gaussian(mean: Tensor, spread: Tensor, levels: Tensor) -> Tensor:
    """Quantiles of Gaussians with this mean (item, channel, horizon) and standard deviation (broadcast to it)."""
    return mean[..., None] + spread[..., None] * scores(levels.to(mean))


def parted(windows: Tensor, format: Format) -> tuple[Tensor, Tensor]:
    """Past (item, channel, context) and future (item, channel, horizon) of whole windows."""
    return windows[..., : format.context], windows[..., format.context :]


@torch.no_grad()
def window_crps(model: Forecasts, windows: Corpus, format: Format) -> Tensor:
    """The score of each window and channel in turn, the mean over its horizon: float64 (item, channel), standardised."""
    levels, errors = grid(), [torch.zeros(0, format.channels, dtype=torch.float64)]
    for batch in windows.batches(BATCH):
        past, future = parted(batch.values, format)
        quantiles = model.forecast(past, batch.conditions, levels).cpu()
        errors.append(crps(quantiles, future, levels).double().mean(-1))
    return torch.cat(errors)
