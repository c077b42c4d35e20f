"""New points of a series that arrive a few at a time: they go on from those that are known already.

Known is what the model's training data ended with, and then what has arrived since. Points that are known under
the same times are replaced, so that joining the same points again changes nothing.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from aigc_models.errors import BadInput

POINTS = "points.csv"


def known_points(generator: Any, points: Path | None) -> Any | None:
    """Those that have arrived, or else the end of the training data where that was one series."""
    if points is not None and points.exists():
        return generator.modality.unpack(points.read_bytes())
    return generator.latest.contents[0] if len(generator.latest.contents) == 1 else None


def past_of(generator: Any, content: Any, points: Path | None) -> Any:
    """What the model is to go on from: the content itself where it is long enough, or else the known points with it."""
    known, context = known_points(generator, points), generator.format.context
    if content.steps >= context or known is None:
        return content  # where it is short and nothing is known, the model says how many steps it needs
    found = joined(generator.modality, known, content)
    return found.part(max(0, found.steps - context), found.steps)


def joined(modality: ModuleType, known: Any, newer: Any) -> Any:
    """The known points with the newer ones in their places, at regular steps; raises `BadInput` where they do not fit."""
    single = len(known.channels) == len(newer.channels) == 1  # a single channel may have any name
    if not single and known.channels != newer.channels:
        raise BadInput(f"the points are of {', '.join(newer.channels)}; those before are of {', '.join(known.channels)}")
    if known.dated != newer.dated:
        raise BadInput("the points before have dates and these have numbers, or the other way round")
    first, last = newer.times()[0], newer.times()[-1]
    header, *before = _lines(modality, known)
    kept = [(time, line) for time, line in zip(known.times(), before, strict=True) if not first <= time <= last]
    new = list(zip(newer.times(), _lines(modality, newer)[1:], strict=True))
    rows = [line for _, line in sorted([*kept, *new])]
    return modality.normalise(modality.read("\n".join([header, *rows, ""]).encode(), POINTS))


def _lines(modality: ModuleType, content: Any) -> list[str]:
    """The header and a line for each step."""
    return [line for line in modality.pack(content).decode().splitlines() if not line.startswith("#")]
