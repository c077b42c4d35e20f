"""Intervals of shares: of test items that are right, covered, empty; never below 0 nor above 1, and never without width.

A bootstrap of items that are all right has no width at all, and claims to be certain; these know how many items there were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np

from aigc_models.evidence import Measurement
from aigc_models.metrics._bootstrap import ALL, Edges, measurements

Z = 1.959964  # of 95 %


def shares(
    figures: Mapping[str, np.ndarray], better: Literal["lower", "higher"], unit: str = "share"
) -> dict[str, Measurement]:
    """Means of figures in [0, 1], float (item,), or (repeat, item) where each item was judged anew several times.

    The same test items, and repeats made alike, in the same order for every candidate. Of a value the interval of Wilson
    (1927), of a difference that of Bonett and Price (2012) for paired shares; both for as many items as would vary
    like the mean over items and repeats does.
    """
    tables = {name: np.atleast_2d(np.asarray(figure, dtype=np.float64)) for name, figure in figures.items()}
    values = {name: float(table.mean()) if table.size else math.nan for name, table in tables.items()}

    def edges(name: str, other: str | None) -> Edges:
        if not tables[name].size:
            return ALL
        return share_edges(tables[name]) if other is None else difference_edges(tables[name] - tables[other])

    return measurements(values, edges, unit, better, (0.0, 1.0))


def share_edges(table: np.ndarray) -> Edges:
    """Of the mean of figures in [0, 1] (repeat, item)."""
    share, items = float(table.mean()), table.shape[1]
    variance = float(table.mean(0).var()) / items + repeats_variance(table)
    return wilson(share, share * (1 - share) / variance if variance > 0 else items)


def wilson(share: float, items: float) -> Edges:
    """The 95 % interval of a share (Wilson 1927): none in 100 is not 0 to 0, as a bootstrap would have it."""
    middle = (share + Z**2 / (2 * items)) / (1 + Z**2 / items)
    half = Z * math.sqrt(share * (1 - share) / items + Z**2 / (4 * items**2)) / (1 + Z**2 / items)
    return min(middle - half, share), max(middle + half, share)  # but for rounding at 0 and 1


def difference_edges(table: np.ndarray) -> Edges:
    """Of the mean of paired differences in [-1, 1] (repeat, item): as if two items more had been told apart, one each way.

    By as much as the others are, weighted by it: wholly where items are judged once or always alike, and by less where
    repeats differ, or the two would outweigh all others.
    """
    each, items = table.mean(0), table.shape[1] + 2
    squares, sizes = float(np.square(each).sum()), float(np.abs(each).sum())
    middle, typical = float(each.sum()) / items, squares / sizes if sizes > 0 else 1.0
    variance = ((squares + 2 * typical**2) / items - middle**2) / items + repeats_variance(table)
    return middle - Z * math.sqrt(variance), middle + Z * math.sqrt(variance)


def repeats_variance(table: np.ndarray) -> float:
    """What repeats add to the variance of a mean (repeat, item): that between them, beyond what differs item by item.

    The two-way analysis of variance with random repeats and items; 0 for a single repeat, which does not tell. All repeats
    learn from, or are drawn from, one pool, and another pool moves them together as much as it differs within itself: that
    part is not divided by the number of repeats, only their own is.
    """
    repeats, items = table.shape
    if repeats < 2 or items < 2:
        return 0.0
    rest = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    within = float(np.square(rest).sum()) / ((repeats - 1) * (items - 1))
    return max(0.0, float(table.mean(1).var(ddof=1)) - within / items) * (1 + 1 / repeats)
