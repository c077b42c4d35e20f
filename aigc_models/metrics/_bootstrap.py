"""Bootstrap intervals (Efron 1979) over test items, paired where candidates are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from aigc_models.evidence import Difference, Measurement

ROUNDS = 1000


def resamples(items: int, rounds: int, seed: int) -> np.ndarray:
    """Indices int64 (round, item), drawn with replacement."""
    return np.random.default_rng([seed, items]).integers(0, items, size=(rounds, items))


def block_resamples(items: int, rounds: int, seed: int, block: int) -> np.ndarray:
    """Indices int64 (round, item) of items that depend on their neighbours: whole blocks from random places on.

    The moving-block bootstrap (Kuensch 1989); a block of 1 is the usual one.
    """
    block = max(1, min(block, items))
    count = -(-items // block)
    starts = np.random.default_rng([seed, items]).integers(0, items - block + 1, size=(rounds, count))
    return np.asarray((starts[..., None] + np.arange(block)).reshape(rounds, -1)[:, :items])


def interval(draws: np.ndarray, value: float | None = None) -> tuple[float, float]:
    """The middle 95 % of draws; with `value`, moved so that the draws' mean lies on it.

    The second form is for figures that resampling itself shifts, such as a distance between covariances.
    """
    low, high = np.percentile(draws, [2.5, 97.5])
    shift = 0.0 if value is None else value - float(np.mean(draws))
    return float(low) + shift, float(high) + shift


def compared(
    values: Mapping[str, float],
    draws: Mapping[str, np.ndarray],
    unit: str,
    better: Literal["lower", "higher"],
) -> dict[str, Measurement]:
    """A measurement for each candidate from its value and its draws (round,), with differences to all others."""

    def difference(name: str, other: str) -> Difference:
        value = values[name] - values[other]
        low, high = interval(draws[name] - draws[other], value)
        return Difference(value=value, low=low, high=high)

    def measurement(name: str) -> Measurement:
        low, high = interval(draws[name], values[name])
        versus = {other: difference(name, other) for other in values if other != name}
        return Measurement(value=values[name], low=low, high=high, unit=unit, better=better, versus=versus)

    return {name: measurement(name) for name in values}


def averages(
    figures: Mapping[str, np.ndarray], unit: str, better: Literal["lower", "higher"], seed: int, block: int = 1
) -> dict[str, Measurement]:
    """Means of per-item figures (item,), the same test items in the same order for every candidate.

    `block`: how many neighbours depend on each other, where the items are in the order of time.
    """
    items = len(next(iter(figures.values())))
    chosen = block_resamples(items, ROUNDS, seed, block)
    values = {name: float(np.mean(figure)) for name, figure in figures.items()}
    return compared(values, {name: np.asarray(figure)[chosen].mean(1) for name, figure in figures.items()}, unit, better)


def statistics(
    candidates: Mapping[str, np.ndarray],
    statistic: Callable[[np.ndarray, np.ndarray], float],
    reference: np.ndarray,
    unit: str,
    better: Literal["lower", "higher"],
    seed: int,
    rounds: int = 200,
) -> dict[str, Measurement]:
    """`statistic(candidate, reference)` of two sets of rows at equal numbers.

    Row i of a candidate has the condition of row i of the reference, so both are resampled together: the labels'
    shares then stay alike on both sides, and the candidates are compared on the same items.
    """

    def draws(candidate: np.ndarray) -> np.ndarray:
        rows = resamples(len(candidate), rounds, seed)
        return np.array([statistic(candidate[row], reference[row]) for row in rows])

    values = {name: statistic(candidate, reference[: len(candidate)]) for name, candidate in candidates.items()}
    return compared(values, {name: draws(candidate) for name, candidate in candidates.items()}, unit, better)
