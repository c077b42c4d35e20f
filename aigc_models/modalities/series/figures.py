"""Figures of series: what was done to them, how they move, and which are nearly the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from aigc_models.modalities.series.choice import chosen
from aigc_models.modalities.series.series import Series
from aigc_models.reading.steps import stamps

SKETCH = 64  # numbers that stand for the course of a series
NEAR = 0.02  # difference of sketches, in standard deviations, up to which two series are nearly the same
_NOTE = re.compile(r"(?P<kind>[^:]*?) (?P<count>\d+): ")


def spread(contents: Sequence[Series]) -> dict[str, Any]:
    """Of the train parts: steps, span, and of each channel mean, standard deviation and strength of the season."""
    format = chosen(contents)
    times = np.array([[content.start, content.time(max(0, content.steps - 1))] for content in contents])
    span = np.array([times[:, 0].min(), times[:, 1].max()])
    longest = max(contents, key=lambda content: content.steps)
    rows = zip(format["names"], format["centre"], format["scale"], strict=True)
    return {
        "steps": sum(content.steps for content in contents),
        "step": format["step"],
        "span": stamps(span, longest.dated),
        "channels": {
            name: {"mean": _short(mean), "standard_deviation": _short(scale), "season_strength": strength}
            for (name, mean, scale), strength in zip(rows, season_strength(longest.values, format["season"]), strict=True)
        },
    }


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def season_strength(values: np.ndarray, season: int) -> list[float]:
    """For each channel max(0, 1 - var(rest) / var(season + rest)), from 0 to 1 (Wang, Smith and Hyndman 2006).

    The trend is a moving average over one season, the season the mean of each of its places.
    """
    steps = values.shape[1]
    if season < 2 or steps < 3 * season:
        return [0.0] * len(values)
    kernel = np.full(season + 1 - season % 2, 1.0)
    if season % 2 == 0:
        kernel[[0, -1]] = 0.5
    half = len(kernel) // 2
    place = np.arange(steps)[half : steps - half] % season
    strengths = []
    for row in values:
        level = row[half : steps - half] - np.convolve(row, kernel / season, mode="valid")
        means = np.bincount(place, level, season) / np.bincount(place, minlength=season)
        whole = float(level.var())
        strengths.append(round(max(0.0, 1 - float((level - means[place]).var()) / whole), 3) if whole > 0 else 0.0)
    return strengths


def handling(contents: Sequence[Series]) -> dict[str, Any]:
    """By kind, what was done to the points as they came: how often, in how many series, and how in the first of them."""
    kinds: dict[str, dict[str, Any]] = {}
    for note in (note for content in contents for note in content.notes):
        match = _NOTE.match(note)
        if match:
            kind = kinds.setdefault(match["kind"], {"count": 0, "series": 0, "how": note[match.end() :]})
            kind["count"] += int(match["count"])
            kind["series"] += 1
    cells = sum(content.values.size for content in contents)
    filled = kinds.get("values filled", {"count": 0})["count"]
    return {**dict(sorted(kinds.items())), "missing_share": round(filled / cells, 6) if cells else 0.0}


def sketch(content: Series) -> bytes:
    """float32: channels, steps, mean, standard deviation, and the course of the whole."""
    values = np.nan_to_num(content.values)
    head = [len(content.channels), content.steps, values.mean() if values.size else 0, values.std() if values.size else 0]
    return np.concatenate([head, course(content)]).astype("<f4").tobytes()


def course(content: Series) -> np.ndarray:
    """float (`SKETCH`,): the mean of the standardised channels in `SKETCH` places."""
    values = np.nan_to_num(content.values)
    scale = values.std(axis=1, keepdims=True)
    mean = ((values - values.mean(axis=1, keepdims=True)) / np.where(scale > 0, scale, 1)).mean(axis=0)
    at = np.linspace(0, len(mean) - 1, SKETCH)
    return np.interp(at, np.arange(len(mean)), mean) if len(mean) else np.zeros(SKETCH)


def near_pairs(fingerprints: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    """Index pairs i < j of series with the same channels, a length, mean and spread within 2 %, and the same course.

    In memory, each with all before it: a data set of series has tens of items, or thousands, not a million.
    """
    if not fingerprints:
        return
    table = np.frombuffer(b"".join(fingerprints), dtype="<f4").reshape(len(fingerprints), -1)
    for at in range(1, len(table)):
        earlier, one = table[:at], table[at]
        close = np.abs(earlier[:, 1] - one[1]) <= NEAR * one[1]
        close &= (earlier[:, 0] == one[0]) & (np.abs(earlier[:, 2:4] - one[2:4]) <= NEAR * abs(one[3]) + 1e-12).all(axis=1)
        near = np.flatnonzero(close)
        apart = np.sqrt(((earlier[near, 4:] - one[4:]) ** 2).mean(axis=1))
        for other in near[apart <= NEAR]:
            yield int(other), at
