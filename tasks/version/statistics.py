"""How a distribution moved between two versions: tests of significance, and how large a move is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import numpy as np

FEWEST = 5  # items, expected of a category on each side, from which on the chi-squared test holds (Cochran 1954)
BINS = 10  # of the population stability index
SMOOTHING = 0.5  # items added to each bin, so that an empty one counts as few and not as none
CATEGORIES = 10  # different numbers, up to which a measure is tested as categories: channels, rates
SIGNIFICANT = 0.01  # adjusted p-value
LARGE = 0.1  # population stability index, from which on a move counts: the usual "moderate" (Siddiqi 2006)

UNLABELLED = "unlabelled"
KOLMOGOROV, CHI = "Kolmogorov-Smirnov", "chi-squared"


class Tested(NamedTuple):
    """A statistic and how likely one as large is by chance alone."""

    statistic: float
    p: float


class Feature(BaseModel):
    """How one feature of the items moved."""

    model_config = ConfigDict(frozen=True)

    name: str
    test: str = Field(description=f"{KOLMOGOROV} or {CHI}")
    statistic: float
    p: float = Field(description="p-value of this test alone")
    p_adjusted: float = Field(description="p-value among all features (Benjamini and Hochberg 1995)")
    psi: float = Field(description="population stability index: 0 alike, 0.1 moderate, 0.25 large")
    moved: bool = Field(description=f"whether p_adjusted is below {SIGNIFICANT} and psi at least {LARGE}")
    before: dict[str, float] = Field(description="quantiles, or shares of categories")
    after: dict[str, float]


def chi_squared(before: Mapping[str, int], after: Mapping[str, int]) -> Tested | None:
    """Pearson's test of counts by category, over those that are frequent enough; None where there are not two."""
    from scipy.stats import chi2_contingency

    sides = [Counter(before), Counter(after)]
    both = sides[0] + sides[1]
    if not all(sides):
        return None
    share = sum(sides[0].values()) / both.total()
    frequent = [one for one in sorted(both) if min(share, 1 - share) * both[one] >= FEWEST]
    if len(frequent) < 2:
        return None
    outcome = chi2_contingency([[side[one] for one in frequent] for side in sides])
    return Tested(float(outcome.statistic), float(outcome.pvalue))


def kolmogorov_smirnov(before: np.ndarray, after: np.ndarray) -> Tested:
    """The two-sample test of numbers, float (item,) each; the p-value is the asymptotic one, which 20 items are enough for."""
    from scipy.stats import ks_2samp

    outcome = ks_2samp(before, after, method="asymp")
    return Tested(float(outcome.statistic), float(outcome.pvalue))


def stability(before: Sequence[float], after: Sequence[float]) -> float:
    """The population stability index of counts by bin: the sum of (a - b) ln(a / b) over the shares a and b, which is the
    symmetric Kullback-Leibler divergence (Siddiqi 2006, "Credit risk scorecards"). `SMOOTHING` items are added to each bin.

    By chance alone it is about (bins - 1) (1/n + 1/m) for n and m items (Yurdakul 2018), which is much where they are few.
    """
    import numpy as np

    counts = np.array([before, after], dtype=np.float64) + SMOOTHING
    old, new = counts / counts.sum(axis=1, keepdims=True)
    return float(((new - old) * np.log(new / old)).sum())


def stability_of_numbers(before: np.ndarray, after: np.ndarray) -> float:
    """The same over `BINS` bins that hold equally many of `before`; a number that fills a bin or more has one of its own."""
    import numpy as np

    edges, often = np.unique(np.quantile(before, np.arange(1, BINS) / BINS), return_counts=True)
    inner = np.unique(np.concatenate([edges, np.nextafter(edges[often > 1], np.inf)]))
    sides = (np.bincount(np.searchsorted(inner, side, side="right"), minlength=len(inner) + 1) for side in (before, after))
    return stability(*(side.tolist() for side in sides))


def categories(name: str, before: Mapping[str, int], after: Mapping[str, int]) -> Feature | None:
    """A feature of counts by category; None where there is too little to test."""
    tested = chi_squared(before, after)
    if tested is None:
        return None
    labels = sorted({*before, *after})
    sides = [[side.get(one, 0) for one in labels] for side in (before, after)]
    shares = [{one: round(count / sum(side), 4) for one, count in zip(labels, side, strict=True)} for side in sides]
    return _feature(name, CHI, tested, stability(*sides), *shares)


def numbers(name: str, before: np.ndarray, after: np.ndarray) -> Feature | None:
    """A feature of numbers, float (item,); as categories where there are few different ones, None where all are alike."""
    import numpy as np

    distinct = np.unique(np.concatenate([before, after]))
    if len(distinct) < 2:
        return None
    if len(distinct) <= CATEGORIES:
        feature = categories(name, *(Counter(f"{value:g}" for value in side.tolist()) for side in (before, after)))
        if feature:
            return feature
    tested = kolmogorov_smirnov(before, after)
    return _feature(name, KOLMOGOROV, tested, stability_of_numbers(before, after), quantiles(before), quantiles(after))


def quantiles(values: np.ndarray) -> dict[str, float]:
    """The middle of numbers and how far they reach."""
    import numpy as np

    points = np.quantile(values, (0.05, 0.5, 0.95)).tolist()
    return {name: float(f"{value:.6g}") for name, value in zip(("5 %", "median", "95 %"), points, strict=True)}


def _feature(name: str, test: str, tested: Tested, psi: float, before: dict[str, float], after: dict[str, float]) -> Feature:
    return Feature(
        name=name,
        test=test,
        statistic=round(tested.statistic, 4),
        p=float(f"{tested.p:.4g}"),
        p_adjusted=1.0,
        psi=round(psi, 4),
        moved=False,
        before=before,
        after=after,
    )


def adjusted(features: Sequence[Feature]) -> tuple[Feature, ...]:
    """With p-values that allow for how many tests there are (Benjamini and Hochberg 1995), the largest move first."""
    from scipy.stats import false_discovery_control

    if not features:
        return ()
    p_values = false_discovery_control([feature.p for feature in features]).tolist()
    corrected = [
        feature.model_copy(update={"p_adjusted": float(f"{p:.4g}"), "moved": p < SIGNIFICANT and feature.psi >= LARGE})
        for feature, p in zip(features, p_values, strict=True)
    ]
    return tuple(sorted(corrected, key=lambda feature: (not feature.moved, -feature.psi, feature.name)))
