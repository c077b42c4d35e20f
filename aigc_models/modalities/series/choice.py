"""Which windows suit a series: season, horizon and past by its step, as far as there is enough of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from aigc_models.modalities.series.series import Series

DEFAULTS = {  # step: season, horizon, past, in steps
    "1h": (24, 24, 168),
    "30min": (48, 48, 192),
    "15min": (96, 96, 288),
    "10min": (144, 72, 288),
    "5min": (288, 72, 288),
    "1min": (60, 60, 240),
    "1D": (7, 14, 56),
    "1B": (5, 10, 40),
    "7D": (52, 26, 156),
    "1MS": (12, 12, 36),
    "1ME": (12, 12, 36),
    "3MS": (4, 4, 16),
    "3ME": (4, 4, 16),
}
MOST_WINDOWS = 1000  # of the test part, about
HELD_OUT = 2 / 7  # test part over train part, at the usual fractions of 0.2 and 0.7
CORRELATED = 0.3  # autocorrelation from which on a lag counts as a season


def chosen(contents: Sequence[Series]) -> dict[str, Any]:
    """The fields of the format, from the train parts alone."""
    steps = [content.steps for content in contents]
    longest = max(contents, key=lambda content: content.steps)
    step = Counter(content.step for content in contents).most_common(1)[0][0]
    season, horizon, context = DEFAULTS.get(step) or _from_autocorrelation(longest)
    horizon = max(1, min(horizon, longest.steps // 14))  # validation is a seventh of it, and has room for two
    context = max(1, min(context, longest.steps // 3))
    centre, scale = _scaler(contents, longest.channels)
    return {
        "context": context,
        "horizon": horizon,
        "stride": max(1, round(HELD_OUT * sum(steps) / MOST_WINDOWS)),
        "season": season if season <= context else 1,
        "channels": len(longest.channels),
        "names": longest.channels,
        "step": step,
        "centre": centre,
        "scale": scale,
    }


def _scaler(contents: Sequence[Series], names: tuple[str, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel over all series, steps weighted alike."""
    count = sum(content.steps for content in contents)
    rows = [[0] if len(names) == 1 else [content.channels.index(name) for name in names] for content in contents]
    parts = [content.values[row] for content, row in zip(contents, rows, strict=True)]
    mean = sum(part.sum(axis=1) for part in parts) / count
    spread = np.sqrt(sum(((part - mean[:, None]) ** 2).sum(axis=1) for part in parts) / count)
    still = spread <= 1e-9 * np.maximum(1, np.abs(mean))
    return tuple(mean.tolist()), tuple(np.where(still, 1.0, spread).tolist())


def _from_autocorrelation(series: Series) -> tuple[int, int, int]:
    """The lag of the highest peak of the mean autocorrelation of the channels, once it has fallen below `CORRELATED`."""
    lags = autocorrelation(series.values)[: max(2, series.steps // 4)]
    fallen = int(np.argmax(lags < CORRELATED)) if (lags < CORRELATED).any() else len(lags)
    peak = fallen + int(np.argmax(lags[fallen:])) if fallen < len(lags) else 0
    season = peak if 1 < peak < 400 and lags[peak] >= CORRELATED else 1
    horizon = min(season, 96) if season > 1 else 16
    return season, horizon, max(3 * season, 64) if season < 200 else 2 * season


def autocorrelation(values: np.ndarray) -> np.ndarray:
    """float64 (lag,), the mean over the channels of float (channel, time), whose linear trend is taken off."""
    steps = values.shape[1]
    at = np.arange(steps) - (steps - 1) / 2
    level = values - values.mean(axis=1, keepdims=True)
    level = level - (level @ at / max(1.0, float(at @ at)))[:, None] * at
    power = np.abs(np.fft.rfft(level, 2 * steps, axis=1)) ** 2
    lags = np.fft.irfft(power, axis=1)[:, :steps]
    return np.asarray((lags / np.maximum(lags[:, :1], 1e-12)).mean(axis=0))
