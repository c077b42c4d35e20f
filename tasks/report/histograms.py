"""Distributions as inline SVG, drawn as `charts` draws: colours of the page's style, 360 units wide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from tasks.dataset.diversity import significant
from tasks.report.charts import WIDTH, Scale, drawing
from tasks.report.data_words import measure
from tasks.report.words import short

HEIGHT, LEFT, RIGHT = 78, 6, WIDTH - 6


def histogram(name: str, distribution: Mapping[str, Any]) -> Markup:
    """Bars of one of the card's distributions, the median as a line; empty where all values are the same."""
    counts, width = distribution["counts"], distribution["width"]
    if len(counts) < 2:
        return Markup("")
    start = distribution["start"]
    x, y = Scale(start, start + width * len(counts), LEFT, RIGHT), Scale(0, max(counts), HEIGHT, 8)
    whole = width == int(width) and start == int(start)
    bars = [_bar(x(start + at * width), x.start + (x.end - x.start) / len(counts), y(count), count, len(counts))
            for at, count in enumerate(counts)]  # fmt: skip
    half = 0.5 if whole and width == 1 else 0.0  # a whole number stands in the middle of its bar
    middle = x(distribution["quantiles"][2] + half)
    line = Markup('<line class="reference" x1="{0:.1f}" x2="{0:.1f}" y1="2" y2="{1}"/>').format(middle, HEIGHT)
    inner = Markup("").join(bars) + line + _axis(x, whole, half)
    return drawing(f"{measure(name)}: {summary(distribution)}", HEIGHT + 20, inner)


def summary(distribution: Mapping[str, Any]) -> str:
    """A distribution in words.

    >>> summary({"quantiles": [1, 2.5, 3, 4.25, 1234]}), summary({"quantiles": [8, 8, 8, 8, 8]})
    ('median 3, nine of ten from 2.5 to 4.25, all from 1 to 1,234', '8')
    """
    low, early, middle, late, high = (short(significant(value, 3)) for value in distribution["quantiles"])
    return low if low == high else f"median {middle}, nine of ten from {early} to {late}, all from {low} to {high}"


def _bar(left: float, step: float, top: float, count: int, bins: int) -> Markup:
    gap = 1.5 if bins <= 40 else 0
    shape = Markup('<rect class="column" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
    return shape.format(left, top, max(0.5, step - LEFT - gap), HEIGHT - top) if count else Markup("")


def _axis(x: Scale, whole: bool, half: float) -> Markup:
    ground = Markup('<line class="ground" x1="{}" x2="{}" y1="{y}" y2="{y}"/>').format(LEFT, RIGHT, y=HEIGHT)
    tick = Markup('<text class="tick" x="{:.1f}" y="{}">{}</text>')
    ticks = [value for value in x.ticks(5) if not whole or (value == int(value) and value + half < x.high)]
    places = [min(max(x(value + half), 14), WIDTH - 14) for value in ticks]
    return ground + Markup("").join(tick.format(at, HEIGHT + 15, short(value)) for at, value in zip(places, ticks, strict=True))
