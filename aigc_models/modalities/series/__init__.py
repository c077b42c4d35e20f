"""Series: one or many channels at regular steps of time. An item's content is a `Series`.

What models see are windows: float32 (item, channel, context + horizon), standardised by the train part alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aigc_models.errors import BadInput
from aigc_models.fingerprints.fingerprint import Fingerprint
from aigc_models.modalities.series import choice, drawing, figures, gaps, measuring, table, windowing
from aigc_models.modalities.series.format import Format
from aigc_models.modalities.series.series import Series
from aigc_models.reading.steps import Step
from aigc_models.reading.steps import stamps as stamps_of

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Format", "Series"]

SUFFIXES = frozenset({".csv", ".tsv"})
suffix = ".csv"
LARGEST = 1e30  # of a value: its square still has room among the numbers that models compute with

SHORTEST_PIECE = 12  # steps
ROUNDING = 1e-6  # of the largest value: models compute with 24 bits


read = table.read
read_points = table.read_points
pack = table.pack
unpack = table.unpack
times = Series.times
stamps = Series.stamps
preview = drawing.preview
spread = figures.spread
handling = figures.handling
near_pairs = figures.near_pairs
measures = measuring.measures
embedding = measuring.embedding
borders = windowing.borders
misfits = windowing.misfits
covers = windowing.covers
filled = gaps.filled
longest_stretch = gaps.longest_stretch


def validate(content: Series) -> str | None:
    """The reason why this cannot be used, or None."""
    if not content.channels:
        return "has no channel: every column is the time"
    if not np.isfinite(content.values).any():
        return f"all {content.values.size:,} values are missing"
    largest = float(np.nanmax(np.abs(content.values)))
    return f"holds {largest:g}, which is beyond {LARGEST:g}: is a number broken?" if largest > LARGEST else None


def normalise(content: Series) -> Series:
    """Without missing values where they can be filled in; what a cleaning rule has filled before stays."""
    return filled(content, gaps.LONGEST_GAP)


def fingerprint(content: Series) -> Fingerprint:
    """`exact`: of times, channels and values; `near`: see `figures.sketch`."""
    head = repr((content.channels, content.start, content.step, content.values.shape)).encode()
    exact = hashlib.sha256(head + np.ascontiguousarray(content.values).tobytes()).hexdigest()
    return Fingerprint(exact, figures.sketch(content))


def choose_format(contents: Sequence[Series]) -> Format:
    """By the step, and so that it fits into what there is; `contents` are the train parts alone."""
    return Format(**choice.chosen(contents))


def encode(contents: Sequence[Series], format: Format) -> np.ndarray:
    """float32 (item, channel, context + horizon): the end of each, standardised; `BadInput` for one that is shorter."""
    return _stacked([_end(content, format, format.length) for content in contents], format, format.length)


def tensor(values: np.ndarray) -> Tensor:
    """float32 (item, channel, step), standardised, as it is stored."""
    import torch

    return torch.from_numpy(np.array(values, dtype=np.float32))


def decode(values: Tensor, format: Format, after: Sequence[Series] | None = None) -> list[Series]:
    """Standardised (item, channel, step) as series in their own unit, which go on where those of `after` end.

    Without `after` they begin at time 0 (1970, or index 0).
    """
    centre, scale = (np.array(part, dtype=np.float64)[:, None] for part in (format.centre, format.scale))
    rescaled = values.detach().cpu().double().numpy() * scale + centre
    ends = [(0.0, format.step)] * len(rescaled) if after is None else [_end_of(one, format) for one in after]
    return [Series(one, format.names, *end) for one, end in zip(rescaled, ends, strict=True)]


def _end_of(content: Series, format: Format) -> tuple[float, str]:
    """When the next step after a series is, and its step: the format's, unless one counts steps and the other dates them."""
    return content.time(content.steps), format.step if content.dated == Step.parse(format.step).dated else content.step


def given(values: Tensor, format: Format) -> dict[str, Tensor]:
    """`past` float (item, channel, context) of encoded windows."""
    return {"past": values[..., : format.context]}


def window(content: Series, format: Format) -> np.ndarray:
    """float32 (channel, context): the newest past of a series; `BadInput` where it is shorter or a channel is missing."""
    return _end(content, format, format.context)


def latest(contents: Sequence[Series], format: Format) -> np.ndarray:
    """float32 (content, channel, context): the newest past of each; `BadInput` for one that is shorter."""
    return _stacked([window(content, format) for content in contents], format, format.context)


def tail(content: Series, format: Format) -> Series | None:
    """The newest past of a series as content; None where it is shorter than that."""
    return content.part(content.steps - format.context, content.steps) if content.steps >= format.context else None


def border_dates(contents: Sequence[Series], borders: dict[str, float]) -> dict[str, str]:
    """When validation and test begin, as dates, and the end."""
    end = max(content.time(content.steps - 1) for content in contents)
    dates = stamps_of(np.array([borders["validation"], borders["test"], end]), contents[0].dated)
    return dict(zip(("validation_from", "test_from", "to"), dates, strict=True))


def before(content: Series, border: float) -> Series:
    """The steps that lie before a time."""
    return content.part(0, int(np.searchsorted(content.times(), border)))


def pieces(content: Series, format: Format, whole: bool = False) -> list[Series]:
    """Parts one after the other from the start: whole seasons of `SHORTEST_PIECE` steps or more; the rest is left out."""
    steps = format.length if whole else -(-SHORTEST_PIECE // format.season) * format.season
    return [content.part(first, first + steps) for first in range(0, content.steps - steps + 1, steps)]


def windows(
    contents: Sequence[Series], format: Format, borders: dict[str, float], split: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """float32 (window, channel, context + horizon) in the order of time, int64 (window,): whose each is, and
    float64 (window, 2): when its horizon begins and ends."""
    whole = [standardised(content, format) for content in contents]
    return windowing.cut(whole, [content.times() for content in contents], format, borders, split)


def standardised(content: Series, format: Format) -> np.ndarray:
    """float32 (channel, step): the channels of the format in its order, less their centre, over their scale."""
    rows = _rows(content, format)
    centre, scale = (np.array(part, dtype=np.float64)[:, None] for part in (format.centre, format.scale))
    return ((content.values[rows] - centre) / scale).astype(np.float32)


def emptiness(content: Series) -> str | None:
    """`constant` where no channel changes by more than rounding, else None."""
    values = np.nan_to_num(content.values)
    return "constant" if np.all(np.ptp(values, axis=1) <= ROUNDING * np.abs(values).max(axis=1)) else None


def write(content: Series, path: Path) -> Path:
    """Write `content` as csv with a time column; gives the path."""
    target = path.with_name(path.name.removesuffix(suffix) + suffix)
    target.write_bytes(pack(content))
    return target


def _rows(content: Series, format: Format) -> list[int]:
    """Where the format's channels stand in `content`; a single channel may have any name."""
    if len(format.names) == len(content.channels) == 1:
        return [0]
    missing = [name for name in format.names if name not in content.channels]
    if missing:
        has = ", ".join(content.channels)
        raise BadInput(
            f"the series has no channel {', '.join(missing)}; it has: {has}; name the columns as in the training data"
        )
    return [content.channels.index(name) for name in format.names]


def _end(content: Series, format: Format, steps: int) -> np.ndarray:
    if content.steps > 1 and content.step != format.step and Step.parse(content.step).dated == Step.parse(format.step).dated:
        raise BadInput(
            f"the series has a step of {content.step}; the model was trained on {format.step}; bring it to that step"
        )
    if content.steps < steps:
        raise BadInput(f"the series has {content.steps} steps; {steps} are needed: give a longer past")
    values = standardised(content.part(content.steps - steps, content.steps), format)
    if not np.isfinite(values).all():
        raise BadInput(f"of the last {steps} steps some are missing in a gap too long to fill in; give a past without it")
    return values


def _stacked(windows: list[np.ndarray], format: Format, steps: int) -> np.ndarray:
    return np.stack(windows) if windows else np.zeros((0, format.channels, steps), dtype=np.float32)
