"""Intervals of figures that are smooth in their items' weights but no means, such as a distance between covariances.

A bootstrap makes them too wide. Near zero a distance V is mostly quadratic in the items; where drawing new items gives it
the variance L + Q, of a linear and a quadratic part, resampling those at hand gives L + 3 Q. Half of the items at random
are weighted up and the others down, and then the other way round: half the difference of the two V has the
variance L + 2 Q, their mean Q, and the one less the other is what was looked for. Weights of 1/2 and 3/2 in place of 0 and 2
keep covariances regular: balanced half-samples (McCarthy 1969) in Fay's form (Judkins 1990).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
from scipy.stats import t

from aigc_models.evidence import Measurement
from aigc_models.metrics._bootstrap import ALL, Edges, measurements

PAIRS = 100  # of opposite weights: 200 resamples
STRENGTH = 0.5
WIDTH = float(t.ppf(0.975, PAIRS - 1))  # of 95 %, in standard deviations that so many pairs tell


def weights(items: int, seed: int) -> np.ndarray:
    """Float64 (1 + 2 x PAIRS, item): all 1, then PAIRS random ones of 1/2 and 3/2, then the same the other way round."""
    order = np.random.default_rng([seed, items]).random((PAIRS, items)).argsort(1)
    signs = STRENGTH * np.where(order % 2, 1.0, -1.0)
    return np.concatenate([np.ones((1, items)), 1 + signs, 1 - signs])


def deviation(figures: np.ndarray) -> float:
    """The standard deviation over new items of a figure, from its values (1 + 2 x PAIRS,) under `weights`."""
    up, down = figures[1 : PAIRS + 1] - figures[0], figures[PAIRS + 1 :] - figures[0]
    odd = float(np.square((up - down) / 2).mean()) / STRENGTH**2
    even = float(((up + down) / 2).var()) / STRENGTH**4
    return math.sqrt(max(odd - even, odd / 2))  # L + Q is no less than half of L + 2 Q


def halved(
    figures: Mapping[str, np.ndarray], unit: str, better: Literal["lower", "higher"], bounds: Edges = ALL
) -> dict[str, Measurement]:
    """A measurement for each candidate from its figures under `weights` (1 + 2 x PAIRS,), with differences to all others."""

    def edges(name: str, other: str | None) -> Edges:
        draws = figures[name] if other is None else figures[name] - figures[other]
        half = WIDTH * deviation(draws)
        return float(draws[0]) - half, float(draws[0]) + half

    return measurements({name: float(each[0]) for name, each in figures.items()}, edges, unit, better, bounds)
