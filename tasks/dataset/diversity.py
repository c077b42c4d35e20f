"""How diverse contents are, and how what is measured of them is distributed: figures of the data card.

Both are of at most `MOST` contents, taken at even distances, and rounded so that they are the same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

MOST = 2_000  # contents that are embedded and measured
BINS = 20  # of a histogram
DIGITS = 4  # significant ones of a figure
QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)
INNER = (0.01, 0.99)  # quantiles between which a histogram lies; what is beyond counts in its first and last bin


def diverse(modality: ModuleType, contents: Sequence[Any]) -> dict[str, Any]:
    """What the modality's `spread` tells of all contents, and their effective number: `vendi_score` of `vendi_items`."""
    figures = dict(modality.spread(contents)) if contents else {}
    if hasattr(modality, "embedding") and len(contents) > 1:
        some = sample(contents)
        figures |= {"vendi_score": significant(vendi_score(modality.embedding(some))), "vendi_items": len(some)}
    return figures


def distributions(modality: ModuleType, contents: Sequence[Any]) -> dict[str, Any]:
    """Of each of the modality's `measures`: quantiles (lowest, 5 %, median, 95 %, highest) and a histogram."""
    if not hasattr(modality, "measures") or not contents:
        return {}
    some = sample(contents)
    measures = {name: distribution(np.asarray(values)) for name, values in modality.measures(some).items()}
    return {"from_items": len(some), "measures": {name: figures for name, figures in measures.items() if figures}}


def sample(contents: Sequence[Any], most: int = MOST) -> list[Any]:
    """At most `most` of them, at even distances.

    >>> sample("abcdefgh", 3)
    ['a', 'd', 'f']
    """
    count = min(most, len(contents))
    return [contents[at * len(contents) // count] for at in range(count)]


def vendi_score(features: np.ndarray) -> float:
    """The effective number of items: 1 where all are the same, n where no two have anything in common.

    The exponential of the entropy of the eigenvalues of K / n, where K holds the cosine similarities of the rows
    of `features`, (item, feature): Friedman and Dieng 2023, "The Vendi Score", definition 3.1. K's eigenvalues are
    those of the smaller of the two Gram matrices. Rows of zeros are like each other and unlike all the rest.
    """
    rows = np.asarray(features, dtype=np.float64)
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    units = np.hstack([rows / np.where(sizes > 0, sizes, 1), sizes == 0])
    gram = units.T @ units if units.shape[1] < len(units) else units @ units.T
    shares = np.linalg.eigvalsh(gram) / len(units)
    shares = shares[shares > 1e-12]  # below it there is but rounding
    return math.exp(-float((shares * np.log(shares)).sum()))


def distribution(values: np.ndarray) -> dict[str, Any]:
    """Quantiles and a histogram of the finite values, (item,); `missing` counts the others. Empty where there is none."""
    finite = rounded(values[np.isfinite(values)])
    if not len(finite):
        return {}
    missing = {"missing": len(values) - len(finite)} if len(finite) < len(values) else {}
    return {"quantiles": [significant(value) for value in np.quantile(finite, QUANTILES)], **histogram(finite), **missing}


def histogram(values: np.ndarray) -> dict[str, Any]:
    """`counts` in bins of `width` from `start` on; whole numbers have bins of whole numbers.

    >>> histogram(np.array([1.0, 1.0, 3.0]))
    {'start': 1, 'width': 1, 'counts': [2, 0, 1]}
    """
    low, high = map(float, np.quantile(values, INNER))
    if low == high:
        low, high = float(values.min()), float(values.max())
    width = (high - low) / BINS or 1.0
    if (values == values.round()).all():
        high = math.ceil(high)
        width = max(1, math.ceil((high - math.floor(low) + 1) / BINS))
    width = significant(width)
    start = significant(math.floor(low / width) * width, 12) if width < 1 else math.floor(low)
    places = np.floor((values - start) / width + 1e-9)
    last = math.floor((high - start) / width + 1e-9)
    counts = np.bincount(np.clip(places, 0, last).astype(np.int64), minlength=last + 1)
    return {"start": start, "width": width, "counts": counts.tolist()}


def significant(value: float, digits: int = DIGITS) -> float:
    """With so many significant digits; a whole number as it is.

    >>> significant(1234.56), significant(0.00123456), significant(12345.0)
    (1235, 0.001235, 12345)
    """
    shortened = float(value) if float(value).is_integer() else float(f"{value:.{digits}g}")
    return int(shortened) if shortened.is_integer() else shortened


def rounded(values: np.ndarray) -> np.ndarray:
    """To six significant digits: processors differ in the last ones, and a value at the edge of a bin would change it."""
    values = np.asarray(values, dtype=np.float64)
    scale = 10.0 ** (5 - np.floor(np.log10(np.where(values == 0, 1, np.abs(values)))))
    return np.asarray(np.round(values * scale) / scale)
