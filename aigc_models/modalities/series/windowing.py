"""Series divided by time: borders that hold for all of a data set, and the windows that lie on each side of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from aigc_models.errors import BadInput
from aigc_models.modalities.series.format import Format
from aigc_models.modalities.series.series import Series

MOST_TRAIN = 20_000  # windows of the train part; of more, every n-th
MOST_BYTES = 400_000_000  # of all windows of a split


def borders(contents: Sequence[Series], validation: float, test: float) -> dict[str, float]:
    """When validation and test begin: the last fractions of all steps together, the same times for every series."""
    times = np.sort(np.concatenate([content.times() for content in contents]))
    count = len(times)
    ends = {"validation": count - int(count * test) - int(count * validation), "test": count - int(count * test)}
    return {name: float(times[min(end, count - 1)]) for name, end in ends.items()}


def misfits(contents: Sequence[Series]) -> dict[int, str]:
    """Which contents have another step or other channels than most, and what; they cannot be learnt together."""
    kinds = [_kind(content) for content in contents]
    usual = Counter(kinds).most_common(1)[0][0] if kinds else None
    return {
        at: f"has the step {kind[0]} and {_describe_channels(kind[1])}; "
        f"most of the data set have {usual[0]} and {_describe_channels(usual[1])}"
        for at, kind in enumerate(kinds)
        if usual and kind != usual
    }


def _kind(content: Series) -> tuple[str, tuple[str, ...]]:
    """A single channel may have any name."""
    return content.step, tuple(sorted(content.channels)) if len(content.channels) > 1 else ("",)


def _describe_channels(channels: tuple[str, ...]) -> str:
    shown = ", ".join(channels[:8]) + (", ..." if len(channels) > 8 else "")
    return "one channel" if channels == ("",) else f"the channels {shown}"


def covers(later: Series, earlier: Series) -> bool:
    """Whether `later` has all that `earlier` has and more recent points: a file that has grown."""
    if _kind(later) != _kind(earlier) or not earlier.steps:
        return False
    ends = [(one.start, one.time(one.steps - 1)) for one in (later, earlier)]
    return ends[0][0] <= ends[1][0] and ends[0][1] >= ends[1][1]


def cut(
    values: Sequence[np.ndarray], times: Sequence[np.ndarray], format: Format, borders: Mapping[str, float], split: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The windows of one split from standardised float32 (channel, time) series, whose each is, and its horizon's times.

    A train window lies before the border of validation as a whole. A validation or test window has its
    horizon in that part as a whole, so that no step that is judged was trained on; its past may reach back.
    """
    starts = [_starts(one, format, borders, split) for one in times]
    stride = _train_stride(sum(map(len, starts)), format) if split == "train" else format.stride
    selected = [(one[::stride], at) for at, one in enumerate(starts)]
    ends = [format.context, format.length - 1]  # of the horizon
    spans = np.concatenate([times[at][one[:, None] + ends] for one, at in selected])
    order = np.argsort(spans[:, 0], kind="stable")
    owners = np.concatenate([np.full(len(one), at, dtype=np.int64) for one, at in selected])
    firsts = np.concatenate([one for one, _ in selected])
    if not len(order):
        raise BadInput(_nothing(times, format, borders, split))
    windows = np.empty((len(order), format.channels, format.length), dtype=np.float32)
    for row, at in enumerate(order):
        windows[row] = values[owners[at]][:, firsts[at] : firsts[at] + format.length]
    return windows, owners[order], spans[order]


def _starts(times: np.ndarray, format: Format, borders: Mapping[str, float], split: str) -> np.ndarray:
    """The first step of each window of a split, at every step."""
    validation, test = (int(np.searchsorted(times, borders[name])) for name in ("validation", "test"))
    low, high = {"train": (format.context, validation), "validation": (validation, test), "test": (test, len(times))}[split]
    return np.arange(max(low, format.context), high - format.horizon + 1) - format.context


def _train_stride(windows: int, format: Format) -> int:
    """1, or more where the windows would be too many or too large."""
    most = min(MOST_TRAIN, max(1, MOST_BYTES // (4 * format.channels * format.length)))
    return max(1, -(-windows // most))


def _nothing(times: Sequence[np.ndarray], format: Format, borders: Mapping[str, float], split: str) -> str:
    low, high = {
        "train": (-np.inf, borders["validation"]),
        "validation": (borders["validation"], borders["test"]),
        "test": (borders["test"], np.inf),
    }[split]
    longest = max(int(((one >= low) & (one < high)).sum()) for one in times)
    needed = f"{format.length} (context + horizon)" if split == "train" else f"{format.horizon} (the horizon)"
    return (
        f"the {split} part of the longest series has {longest} steps; {needed} are needed: add points, or ask for less with "
        "--set training.encode.format.horizon=N and context=N, or raise the fractions validation and test"
    )
