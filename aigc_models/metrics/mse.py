"""Mean squared error of the median forecast, over all test windows, channels and steps."""

from __future__ import annotations

import numpy as np
import torch

from aigc_models.capabilities import Forecasts
from aigc_models.evidence import Evidence, Measurement
from aigc_models.forecasting.quantiles import BATCH, parted
from aigc_models.metrics._windows import forecasters, measured, unit

MODALITIES = frozenset({"series"})


def applies(evidence: Evidence) -> bool:
    return bool(forecasters(evidence)) and len(evidence.test) > 0


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every model that forecasts, with paired differences to the others."""
    scale, name = unit(evidence)
    figures = {candidate: scale**2 * errors(model, evidence) for candidate, model in forecasters(evidence).items()}
    return measured(evidence, figures, f"{name}, squared")


@torch.no_grad()
def errors(model: Forecasts, evidence: Evidence) -> np.ndarray:
    """Of each window, float64 (window,), standardised."""
    squares, middle = [], torch.tensor([0.5])
    for batch in evidence.test.batches(BATCH):
        past, future = parted(batch.values, evidence.shape.format)
        median = model.forecast(past, batch.conditions, middle)[..., 0].cpu()
        squares.append((median - future).double().square().mean((1, 2)))
    return torch.cat(squares).numpy()
