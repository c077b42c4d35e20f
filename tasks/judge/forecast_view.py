"""Forecasts as tables and as pictures: the past, the median, the bands around it, and what really came."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from aigc_models.inference import Forecast

WIDTH, HEIGHT, HEAD, FOOT = 380, 120, 14, 26  # pixels of a channel's plot, its title, and what stands below them all
MOST_CHANNELS = 4
SHOWN = 3.0  # steps of the past that are drawn, in horizons


def table(forecast: Forecast) -> bytes:
    """Csv: a row for each time and channel, a column for each level."""
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator="\n").writerow
    first = forecast.quantiles[0]
    write(["time", "channel", *(f"{level:g}" for level in forecast.levels)])
    for step, time in enumerate(first.stamps()):
        for channel, name in enumerate(first.channels):
            write([time, name, *(f"{each.values[channel, step]:.9g}" for each in forecast.quantiles)])
    return buffer.getvalue().encode()


def beside(forecast: Forecast, actual: Any) -> bytes:
    """Csv of a trial: the past and what came in a column for each channel, and a column for each of its levels."""
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator="\n").writerow
    past = forecast.past
    names = [f"{name} {level:g}" for name in past.channels for level in forecast.levels]
    write(["time", *past.channels, *names])
    for time, row in zip(past.stamps(), past.values.T.tolist(), strict=True):
        write([time, *(f"{value:.9g}" for value in row), *[""] * len(names)])
    for step, time in enumerate(actual.stamps()):
        quantiles = [f"{each.values[at, step]:.9g}" for at in range(len(past.channels)) for each in forecast.quantiles]
        write([time, *(f"{value:.9g}" for value in actual.values[:, step]), *quantiles])
    return buffer.getvalue().encode()


def picture(forecast: Forecast, actual: Any = None, caption: str = "") -> str:
    """SVG that needs nothing else: each channel on its own scale; reads on light and on dark."""
    past = forecast.past
    shown = range(min(len(past.channels), MOST_CHANNELS))
    plots = [_plot(forecast, actual, channel, row * (HEIGHT + HEAD)) for row, channel in enumerate(shown)]
    more = len(past.channels) - len(shown)
    height = len(shown) * (HEIGHT + HEAD) + FOOT
    stamps = forecast.quantiles[0].stamps()
    words = ["line: past", *(["dashes: what came"] if actual is not None else []), f"blue: median and bands {_bands(forecast)}"]
    foot = [
        caption or f"forecast {stamps[0]} to {stamps[-1]}" + (f", {more} more channels" if more > 0 else ""),
        "; ".join(words),
    ]
    lines = "".join(
        f'<text x="0" y="{height - FOOT + 11 * (at + 1)}" opacity="0.7">{html.escape(line)}</text>'
        for at, line in enumerate(foot)
    )
    return (
        f'<svg role="img" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="9" fill="currentColor"><title>{html.escape(foot[0])}</title>{"".join(plots)}{lines}</svg>'
    )


def _bands(forecast: Forecast) -> str:
    """Such as `50 %, 80 %`."""
    levels = forecast.levels
    return ", ".join(f"{100 * (high - low):.3g} %" for low, high in reversed(_pairs(levels))) or "none"


def _pairs(levels: Sequence[float]) -> list[tuple[float, float]]:
    """The outer levels first, as far as they come in pairs around the middle."""
    return [(low, levels[-1 - at]) for at, low in enumerate(levels[: len(levels) // 2])]


def _plot(forecast: Forecast, actual: Any, channel: int, top: int) -> str:
    import numpy as np

    quantiles = np.stack([each.values[channel] for each in forecast.quantiles])
    before = forecast.past.values[channel][-max(2, round(SHOWN * quantiles.shape[1])) :]
    came = np.array([]) if actual is None else np.asarray(actual.values[channel])
    values = np.concatenate([before, came, quantiles.ravel()])
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    axes = _Axes(len(before), len(before) + quantiles.shape[1], low, (high - low) or 1.0, top + HEAD)
    start = len(before)
    name = html.escape(forecast.past.channels[channel])
    shapes = [f'<text x="0" y="{top + 10}" opacity="0.7">{name}: {low:.4g} to {high:.4g}</text>']
    for at in range(len(forecast.levels) // 2):
        shapes.append(axes.band(quantiles[at], quantiles[-1 - at], start))
    shapes.append(axes.line(before, 0, 'stroke="currentColor" stroke-width="1.1"'))
    if actual is not None:
        shapes.append(axes.line(came, start, 'stroke="currentColor" stroke-width="1.1" stroke-dasharray="3 2"'))
    shapes.append(axes.line(quantiles[len(quantiles) // 2], start, 'stroke="#4f74ef" stroke-width="1.6"'))
    return "".join(shapes)


class _Axes:
    """Steps from left to right, values from bottom to top, in pixels."""

    def __init__(self, origin: int, steps: int, low: float, span: float, top: int) -> None:
        self.origin, self.across, self.low, self.span, self.top = origin, WIDTH / max(1, steps - 1), low, span, top

    def point(self, step: int, value: float) -> str:
        return f"{step * self.across:.1f},{self.top + HEIGHT - 4 - (value - self.low) / self.span * (HEIGHT - 8):.1f}"

    def line(self, values: np.ndarray, first: int, style: str) -> str:
        import numpy as np

        points = " ".join(self.point(first + at, value) for at, value in enumerate(values) if np.isfinite(value))
        return f'<polyline fill="none" {style} points="{points}"/>'

    def band(self, low: np.ndarray, high: np.ndarray, first: int) -> str:
        there = [self.point(first + at, value) for at, value in enumerate(high)]
        back = [self.point(first + at, value) for at, value in reversed(list(enumerate(low)))]
        return f'<polygon fill="#4f74ef" opacity="0.22" points="{" ".join(there + back)}"/>'
