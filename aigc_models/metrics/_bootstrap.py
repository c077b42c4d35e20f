"""95 % intervals: bootstrap (Efron 1979) over test items, paired where candidates are compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
from scipy.stats import norm, t

from aigc_models.evidence import Difference, Measurement

ROUNDS = 1000
Edges = tuple[float, float]
ALL: Edges = (-math.inf, math.inf)  # excludes nothing: where the items are too few for an interval
POSITIVE: Edges = (0.0, math.inf)


def resamples(items: int, rounds: int, seed: int) -> np.ndarray:
    """Indices int64 (round, item), drawn with replacement."""
    return np.random.default_rng([seed, items]).integers(0, items, size=(rounds, items))


def interval(draws: np.ndarray, value: float | None = None, freedom: float = math.inf) -> Edges:
    """The middle 95 % of draws; with `value`, moved so that the draws' mean lies on it.

    The second form is for figures that resampling itself shifts, such as a distance between covariances.
    `freedom`, the independent items less one, widens it from the normal to Student's distribution (Hesterberg 2015,
    the expanded percentile interval); below one nothing is excluded.
    """
    if freedom < 1:
        return ALL
    low, high = np.percentile(draws, [2.5, 97.5])
    mean = float(np.mean(draws))
    wider = float(t.ppf(0.975, freedom) / norm.ppf(0.975)) if math.isfinite(freedom) else 1.0
    middle = mean if value is None else value
    return middle + wider * (float(low) - mean), middle + wider * (float(high) - mean)


def measurements(
    values: Mapping[str, float],
    edges: Callable[[str, str | None], Edges],
    unit: str,
    better: Literal["lower", "higher"],
    bounds: Edges = ALL,
) -> dict[str, Measurement]:
    """A measurement for each candidate; `edges(name, other)` gives the interval of a difference, of a value without other.

    No interval reaches beyond `bounds`, the least and the greatest value that the figure can have.
    """
    least, most = bounds

    def difference(name: str, other: str) -> Difference:
        low, high = edges(name, other)
        return Difference(value=values[name] - values[other], low=max(low, least - most), high=min(high, most - least))

    def measurement(name: str) -> Measurement:
        low, high = edges(name, None)
        versus = {other: difference(name, other) for other in values if other != name}
        return Measurement(
            value=values[name], low=max(low, least), high=min(high, most), unit=unit, better=better, versus=versus
        )

    return {name: measurement(name) for name in values}


def compared(
    values: Mapping[str, float],
    draws: Mapping[str, np.ndarray],
    unit: str,
    better: Literal["lower", "higher"],
    freedom: float = math.inf,
    bounds: Edges = ALL,
) -> dict[str, Measurement]:
    """A measurement for each candidate from its value and its draws (round,), with differences to all others."""

    def edges(name: str, other: str | None) -> Edges:
        if other is None:
            return interval(draws[name], values[name], freedom)
        return interval(draws[name] - draws[other], values[name] - values[other], freedom)

    return measurements(values, edges, unit, better, bounds)


def averages(
    figures: Mapping[str, np.ndarray], unit: str, better: Literal["lower", "higher"], seed: int
) -> dict[str, Measurement]:
    """Means of per-item figures (item,), the same independent test items in the same order for every candidate."""
    items = len(next(iter(figures.values())))
    chosen = resamples(items, ROUNDS, seed)
    values = {name: float(np.mean(figure)) for name, figure in figures.items()}
    wider = math.sqrt(items / max(1, items - 1))  # resamples spread about their own mean, by one degree of freedom less
    draws = {name: wider * (np.asarray(figure)[chosen].mean(1) - values[name]) for name, figure in figures.items()}
    return compared(values, draws, unit, better, items - 1)
