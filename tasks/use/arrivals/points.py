"""New points of a series that arrive a few at a time: they go on from the earlier points.

The earlier points are what the model's training data ended with, and then what has arrived since. Those at the same
times as new ones are replaced, so that joining the same points again changes nothing.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from aigc_models.errors import BadInput

POINTS = "points.csv"


def earlier_points(generator: Any, points: Path | None) -> Any | None:
    """Those that have arrived, or else the end of the training data where that was one series."""
    if points is not None and points.exists():
        return generator.modality.unpack(points.read_bytes())
    return generator.latest.contents[0] if len(generator.latest.contents) == 1 else None


def past_of(generator: Any, content: Any, points: Path | None) -> Any:
    """What the model is to go on from: the content itself where it is long enough, or else the earlier points with it."""
    earlier, context = earlier_points(generator, points), generator.format.context
    if content.steps >= context or earlier is None:
        return content  # where it is short and nothing came earlier, the model says how many steps it needs
    whole = joined(generator.modality, earlier, content)
    return whole.part(max(0, whole.steps - context), whole.steps)


def joined(modality: ModuleType, earlier: Any, newer: Any) -> Any:
    """The earlier points with the newer ones in their places, at regular steps; raises `BadInput` where they do not fit."""
    single = len(earlier.channels) == len(newer.channels) == 1  # a single channel may have any name
    if not single and earlier.channels != newer.channels:
        raise BadInput(f"the points are of {', '.join(newer.channels)}; those before are of {', '.join(earlier.channels)}")
    if earlier.dated != newer.dated:
        raise BadInput("the points before have dates and these have numbers, or the other way round")
    first, last = newer.times()[0], newer.times()[-1]
    header, *before = _lines(modality, earlier)
    kept = [(time, line) for time, line in zip(earlier.times(), before, strict=True) if not first <= time <= last]
    new = list(zip(newer.times(), _lines(modality, newer)[1:], strict=True))
    rows = [line for _, line in sorted([*kept, *new])]
    return modality.normalise(modality.read("\n".join([header, *rows, ""]).encode(), POINTS))


def _lines(modality: ModuleType, content: Any) -> list[str]:
    """The header and a line for each step."""
    return [line for line in modality.pack(content).decode().splitlines() if not line.startswith("#")]
