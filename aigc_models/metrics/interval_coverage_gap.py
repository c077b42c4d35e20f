"""How far the share of true values inside the middle 80 % of the forecasts is from 80 %: 0 where forecasts are honest."""

from __future__ import annotations

import numpy as np
import torch

from aigc_models.capabilities import Forecasts
from aigc_models.evidence import Evidence, Measurement
from aigc_models.forecasting.quantiles import BATCH, parted
from aigc_models.metrics._bootstrap import ROUNDS, block_resamples, compared
from aigc_models.metrics._windows import block, forecasters

MODALITIES = frozenset({"series"})
SHARE = 0.8


def applies(evidence: Evidence) -> bool:
    return bool(forecasters(evidence)) and len(evidence.test) > 0


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every model that forecasts, with paired differences to the others."""
    inside = {name: covered(model, evidence) for name, model in forecasters(evidence).items()}
    chosen = block_resamples(len(evidence.test), ROUNDS, evidence.seed, block(evidence))
    values = {name: abs(float(each.mean()) - SHARE) for name, each in inside.items()}
    draws = {name: np.abs(each[chosen].mean(1) - SHARE) for name, each in inside.items()}
    return compared(values, draws, "share", "lower")


@torch.no_grad()
def covered(model: Forecasts, evidence: Evidence) -> np.ndarray:
    """The share of each window's values inside the interval, float64 (window,)."""
    shares, edges = [], torch.tensor([(1 - SHARE) / 2, (1 + SHARE) / 2])
    for batch in evidence.test.batches(BATCH):
        past, future = parted(batch.values, evidence.shape.format)
        low, high = model.forecast(past, batch.conditions, edges).cpu().unbind(-1)
        shares.append(((low <= future) & (future <= high)).double().mean((1, 2)))
    return torch.cat(shares).numpy()
