"""Labels that are numbers of many values, such as prices: something to predict, and no classes of items."""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tasks.dataset.tables import batches, shards

MOST_CLASSES = 100  # different labels that may be classes, whatever they are
SHARE = 0.9  # of the different labels that are numbers, at least: the others are mistakes
ROWS = 10_000


def are_numbers(labels: Collection[str]) -> bool:
    """Whether these different labels are numbers and too many for classes."""
    if len(labels) <= MOST_CLASSES:
        return False
    return sum(math.isfinite(number(label)) for label in labels) >= SHARE * len(labels)


def labelled_by_numbers(clean: Path) -> bool:
    """The same of the items in `data/NAME/clean`."""
    labels = {label for part in batches(shards(clean), ["label"], ROWS) for label in part["label"] if label}
    return are_numbers(labels)


def number(label: str) -> float:
    """What a label is worth; NaN where it is no number."""
    try:
        return float(label) if "_" not in label else math.nan
    except ValueError:
        return math.nan


def summary(counts: Mapping[str, int]) -> dict[str, Any]:
    """What a card says of them: how many different ones, least, most, mean and standard deviation."""
    values = [value for label, count in counts.items() if math.isfinite(value := number(label)) for _ in range(count)]
    if not values:
        return {"distinct": len(counts)}
    figures = {"least": min(values), "most": max(values), "mean": statistics.fmean(values)}
    figures["deviation"] = statistics.pstdev(values)
    return {"distinct": len(counts), **{name: float(f"{value:.6g}") for name, value in figures.items()}}
