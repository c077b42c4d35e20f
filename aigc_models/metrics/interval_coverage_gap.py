"""How far the share of true values inside the middle 80 % of the forecasts is from 80 %: 0 where forecasts are honest."""

from __future__ import annotations

import numpy as np
import torch

from aigc_models.capabilities import Forecasts
from aigc_models.evidence import Evidence, Measurement
from aigc_models.forecasting.quantiles import BATCH, parted
from aigc_models.metrics._bootstrap import Edges, interval, measurements
from aigc_models.metrics._windows import draws, forecasters

MODALITIES = frozenset({"series"})
SHARE = 0.8


def applies(evidence: Evidence) -> bool:
    return bool(forecasters(evidence)) and len(evidence.test) > 0


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every model that forecasts, with paired differences to the others."""
    inside = {name: covered(model, evidence) for name, model in forecasters(evidence).items()}
    means, freedom = draws(evidence, inside)
    signed = {name: float(each.mean()) - SHARE for name, each in inside.items()}
    values = {name: abs(each) for name, each in signed.items()}

    def edges(name: str, other: str | None) -> Edges:
        if other is None:
            return size_of(interval(means[name], signed[name], freedom))
        apart = np.abs(means[name] - SHARE) - np.abs(means[other] - SHARE)
        return interval(apart, values[name] - values[other], freedom)

    return measurements(values, edges, "share", "lower", (0.0, SHARE))


def size_of(edges: Edges) -> Edges:
    """The interval of a number's size from that of the number: it begins at 0 where the number may have either sign."""
    low, high = edges
    return (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))


@torch.no_grad()
def covered(model: Forecasts, evidence: Evidence) -> np.ndarray:
    """The share of each window's values inside the interval, float64 (window,)."""
    shares, edges = [], torch.tensor([(1 - SHARE) / 2, (1 + SHARE) / 2])
    for batch in evidence.test.batches(BATCH):
        past, future = parted(batch.values, evidence.shape.format)
        low, high = model.forecast(past, batch.conditions, edges).cpu().unbind(-1)
        shares.append(((low <= future) & (future <= high)).double().mean((1, 2)))
    return torch.cat(shares).numpy()
