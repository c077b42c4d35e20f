"""What the metrics of forecasts share: which candidates forecast, and how long test windows depend on each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np

from aigc_models.capabilities import Forecasts
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._bootstrap import averages

MOST_SERIES = 100  # that are looked for
COMPARED = 50  # windows that are compared to learn the number of series


def forecasters(evidence: Evidence) -> dict[str, Forecasts]:
    """The candidates that forecast."""
    return {name: model for name, model in evidence.models.items() if isinstance(model, Forecasts)}


def side_by_side(values: np.ndarray, stride: int) -> int:
    """How many series the windows float (window, channel, step) are of, in turn in the order of time; 1 where it is unclear."""
    for series in range(1, min(MOST_SERIES, len(values) - 1) + 1):
        rows = np.arange(min(COMPARED, len(values) - series))
        if np.array_equal(values[rows][..., stride:], values[rows + series][..., :-stride]):
            return series
    return 1


def block(evidence: Evidence) -> int:
    """Windows that a block of the bootstrap must at least hold: as long as horizons overlap, of all series at once."""
    stride = evidence.shape.format.stride
    series = side_by_side(np.asarray(evidence.test.values), stride)
    return series * (math.ceil(evidence.shape.format.horizon / stride) + 1)


def measured(
    evidence: Evidence, figures: Mapping[str, np.ndarray], unit: str, better: Literal["lower", "higher"] = "lower"
) -> dict[str, Measurement]:
    """Means of figures (window,) in the order of time, compared by a moving-block bootstrap."""
    return averages(figures, unit, better, evidence.seed, block(evidence))


def unit(evidence: Evidence) -> tuple[float, str]:
    """The scale and the name of the unit: the channel's own where there is one, else standard deviations of the train part."""
    format = evidence.shape.format
    return (format.scale[0], f"units of {format.names[0]}") if format.channels == 1 else (1.0, "standard deviations")
