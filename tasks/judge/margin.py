"""A paired difference held against a margin: better, not worse, worse, or too few test items to tell.

A challenger is not worse where the upper end of the 95 % interval of its loss lies within the margin (a non-inferiority
test, Piaggio et al. 2012, JAMA 308: wrong in at most 2.5 % of cases at the margin), and better where it excludes zero.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from scipy.stats import norm

from aigc_models.evidence import Difference

Standing = Literal["better", "not worse", "worse", "not told apart"]
EDGE = float(norm.ppf(0.975))  # of a 95 % interval, in standard errors
POWER = 1 + float(norm.ppf(0.8)) / EDGE  # half intervals that lie between equal and told apart in 80 % of cases


class Held(NamedTuple):
    """`standing`, and where nothing can be told: how many test items would tell a difference of `gap`, if any number."""

    standing: Standing
    items: int | None = None
    gap: float = 0.0


def loss(difference: Difference, better: Literal["lower", "higher"]) -> Difference:
    """The same difference with what is worse above zero."""
    if better == "lower":
        return difference
    return Difference(value=-difference.value, low=-difference.high, high=-difference.low)


def hold(loss: Difference, margin: float, items: int, seeds: float = 0.0) -> Held:
    """`loss`: challenger minus the other, worse above zero, in the unit of `margin`; measured on `items` test items.

    `seeds`: standard deviation of the figure between two seeds of one recipe, in the same unit; the challenger is called
    better only where its gain lies beyond that as well. An interval without a width is none: nothing is told apart by it.
    """
    half = loss.high - loss.value
    if not math.isfinite(half + margin) or (loss.low == loss.high != 0):
        return Held("not told apart")
    if loss.high <= margin:
        beyond = loss.value + math.hypot(half, EDGE * math.sqrt(2) * seeds)
        return Held("better" if beyond < 0 else "not worse")
    if loss.low > 0:
        return Held("worse")
    equal = margin > 0 and POWER * half > margin  # too wide even for two that are equal; else its own loss is what is near
    gap = margin if equal else margin - loss.value
    return Held("not told apart", needed(half, gap, items), gap)


def needed(half: float, gap: float, items: int) -> int | None:
    """Test items at which a difference of `gap` is told in 80 % of cases, where `items` give half an interval of `half`."""
    return math.ceil(items * (POWER * half / gap) ** 2) if gap > 0 and items else None


def advice(held: Held, unit: str) -> str:
    """How many items would tell, in words, rounded up to two digits."""
    if held.items is None:
        return "not told apart"
    step = 10 ** max(0, len(str(held.items)) - 2)
    about = f"about {-(-held.items // step) * step:,}" if held.items < 10_000_000 else "more than ten million"
    return f"not told apart: {about} test items would tell a difference of {held.gap:.2g}{f' {unit}' if unit else ''}"
