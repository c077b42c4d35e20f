"""What the metrics of forecasts share: which candidates forecast, and the times of the test windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from aigc_models.capabilities import Forecasts
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._blocks import Draws, block_draws
from aigc_models.metrics._bootstrap import POSITIVE, ROUNDS, compared


def forecasters(evidence: Evidence) -> dict[str, Forecasts]:
    """The candidates that forecast."""
    return {name: model for name, model in evidence.models.items() if isinstance(model, Forecasts)}


def spans(evidence: Evidence) -> np.ndarray:
    """Float64 (window, 2): when the horizon of each test window begins and ends; in steps where the evidence has no times."""
    if evidence.spans is not None:
        return evidence.spans
    format = evidence.shape.format
    begins = np.arange(len(evidence.test), dtype=np.float64) * format.stride
    return np.stack([begins, begins + format.horizon - 1], axis=1)


def draws(evidence: Evidence, figures: Mapping[str, np.ndarray]) -> Draws:
    """Means of figures (window,) of test windows that may overlap."""
    return block_draws(figures, spans(evidence), ROUNDS, evidence.seed)


def measured(
    evidence: Evidence, figures: Mapping[str, np.ndarray], unit: str, better: Literal["lower", "higher"] = "lower"
) -> dict[str, Measurement]:
    """Means of figures (window,), not below zero, compared by a moving-block bootstrap over time."""
    means, freedom = draws(evidence, figures)
    values = {name: float(np.mean(figure)) for name, figure in figures.items()}
    return compared(values, means, unit, better, freedom, POSITIVE)


def unit(evidence: Evidence) -> tuple[float, str]:
    """The scale and the name of the unit: the channel's own where there is one, else standard deviations of the train part."""
    format = evidence.shape.format
    return (format.scale[0], f"units of {format.names[0]}") if format.channels == 1 else (1.0, "standard deviations")
