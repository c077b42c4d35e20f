"""Whole paths from quantiles of single steps: a Gaussian copula over the horizon (Gel, Raftery and Gneiting 2004).

The quantiles say how each step is distributed, the copula how steps and channels go together: correlations of the normal
scores of errors. A path depends on its seed and its own quantiles alone.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from aigc_models.forecasting.quantiles import Futures, Levels, Quantiles, scores
from aigc_models.layers.noise import normal

RIDGE = 0.02  # share of independent noise, so that the factors exist
EDGE = 4.0  # standard normal scores are kept within this


class Copula(nn.Module):
    """Second moments of normal scores; those `across` channels are the same at each step.

    It is learnt from errors, not by gradients.
    """

    def __init__(self, channels: int, horizon: int) -> None:
        super().__init__()
        self.time: Float[Tensor, "channel horizon horizon"]
        self.across: Float[Tensor, "channel channel"]
        self.register_buffer("time", torch.eye(horizon).repeat(channels, 1, 1))
        self.register_buffer("across", torch.eye(channels))

    @torch.no_grad()
    def learn(self, normal_scores: Futures, share: float = 1.0) -> None:
        """Move by `share` towards the moments of normal scores; only their ratios count."""
        rows = normal_scores.float()
        with torch.autocast(rows.device.type, enabled=False):  # in bfloat16 the moments would be none that factor
            self.time.lerp_(torch.einsum("nch,ncg->chg", rows, rows) / len(rows), share)
            self.across.lerp_(torch.einsum("nch,ndh->cd", rows, rows) / (len(rows) * rows.shape[2]), share)

    def draw(self, seeds: Int[Tensor, " item"]) -> Futures:
        """Standard normal scores, each path from its own seed."""
        time, across = factor(self.time.cpu()), factor(self.across.cpu())
        return torch.einsum("chg,cd,ndg->nch", time, across, normal(seeds, time.shape[:2]))


def factor(moments: Float[Tensor, "*group row row"]) -> Float[Tensor, "*group row row"]:
    """Lower factor of the correlations in second moments, with some independent noise mixed in."""
    wide = moments.double()
    scale = wide.diagonal(dim1=-2, dim2=-1).clamp_min(1e-12).sqrt()
    correlation = wide / (scale[..., :, None] * scale[..., None, :])
    mixed = (1 - RIDGE) * correlation + RIDGE * torch.eye(wide.shape[-1], dtype=wide.dtype)
    edge = mixed.diagonal(dim1=-2, dim2=-1).sqrt()
    lower: Tensor = torch.linalg.cholesky(mixed / (edge[..., :, None] * edge[..., None, :]))
    return lower.float()


def at(quantiles: Quantiles, levels: Levels, asked: Float[Tensor, " asked"]) -> Float[Tensor, "item channel horizon asked"]:
    """Quantiles at other levels: linear in normal scores between the given levels and beyond them."""
    knots, wanted = scores(levels), scores(asked)
    right = torch.searchsorted(knots, wanted).clamp(1, len(knots) - 1)
    share = ((wanted - knots[right - 1]) / (knots[right] - knots[right - 1])).to(quantiles)
    low, high = quantiles[..., right - 1], quantiles[..., right]
    return low + share * (high - low)


def through(quantiles: Quantiles, levels: Levels, drawn: Futures) -> Futures:
    """The value at standard normal score `drawn` of each step's own distribution."""
    knots = scores(levels).to(quantiles)
    placed = drawn.to(quantiles).clamp(-EDGE, EDGE).contiguous()
    right = torch.searchsorted(knots, placed).clamp(1, len(levels) - 1)
    low, high = (quantiles.gather(-1, index[..., None])[..., 0] for index in (right - 1, right))
    share = (placed - knots[right - 1]) / (knots[right] - knots[right - 1])
    return low + share * (high - low)


def back(quantiles: Quantiles, levels: Levels, values: Futures) -> Futures:
    """The standard normal score of `values`: the inverse of `through`."""
    knots, wide = scores(levels).to(quantiles), quantiles.contiguous()
    right = torch.searchsorted(wide, values.to(wide)[..., None].contiguous()).clamp(1, len(levels) - 1)
    low, high = (wide.gather(-1, index)[..., 0] for index in (right - 1, right))
    first, last = knots[right[..., 0] - 1], knots[right[..., 0]]
    share = (values.to(wide) - low) / (high - low).clamp_min(1e-9)
    return (first + share * (last - first)).clamp(-EDGE, EDGE)
