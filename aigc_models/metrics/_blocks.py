"""Intervals of means over windows of time, which depend on their neighbours: a moving-block bootstrap (Kuensch 1989).

Blocks are of times, not of windows: all series that are forecast at a time are drawn together. Which windows share steps is
read off the times their horizons begin and end at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

OVERLAPS = 2  # a block is at least so many times as long as horizons overlap
GROWTH = 1.3  # and so many times the root of the number of times: errors may depend on each other beyond the horizon
LEAST = 4.0  # blocks that the test time must hold: with fewer there is no interval


class Draws(NamedTuple):
    """`means`: of each candidate float64 (round,); `freedom`: of Student's distribution, 0 where there is no interval."""

    means: dict[str, np.ndarray]
    freedom: float


def overlap(spans: np.ndarray) -> int:
    """Most origins within one horizon, its own among them; `spans` float64 (window, 2): when each horizon begins and ends."""
    times = np.unique(spans[:, 0])
    return int((np.searchsorted(times, spans[:, 1], side="right") - np.searchsorted(times, spans[:, 0])).max())


def block_draws(figures: Mapping[str, np.ndarray], spans: np.ndarray, rounds: int, seed: int) -> Draws:
    """Means of figures (window,) over windows of blocks drawn at random, as far from the mean as new test times would be.

    How long a block is, and that the normal distribution gives way to Student's: Lazarus et al. (2018). Means of
    blocks lie around the mean of them all, of which they are a part, and the windows at a block's ends have neighbours
    outside: of the variance of a mean of errors that are independent from step to step there is left what `left` says.
    """
    times, place = np.unique(spans[:, 0], return_inverse=True)
    count, shared = len(times), overlap(spans)
    block = max(OVERLAPS * shared, math.ceil(GROWTH * math.sqrt(count)))
    if count < LEAST * block:
        return Draws({name: np.full(rounds, float(np.mean(figure))) for name, figure in figures.items()}, 0.0)
    starts = np.random.default_rng([seed, count]).integers(0, count - block + 1, size=(rounds, -(-count // block)))
    chosen = (starts[..., None] + np.arange(block)).reshape(rounds, -1)[:, :count]
    number = np.bincount(place, minlength=count)[chosen].sum(1)
    left = (1 - block / count) * (1 - (shared**2 - 1) / (3 * shared * block))

    def means(figure: np.ndarray) -> np.ndarray:
        draws = np.bincount(place, figure, count)[chosen].sum(1) / number
        return np.asarray(draws.mean() + (draws - draws.mean()) / math.sqrt(left))

    return Draws({name: means(figure) for name, figure in figures.items()}, count / block)
