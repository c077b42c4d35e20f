"""A series as a small line plot that needs nothing else and reads on light and on dark."""

from __future__ import annotations

import html

import numpy as np

from aigc_models.modalities.series.series import Series

WIDTH, HEIGHT, EDGE = 260, 60, 3  # pixels of a channel's plot
MOST_POINTS, MOST_CHANNELS = 400, 8


def preview(content: Series) -> str:
    """One line for each channel, each on its own scale, with the span of time below; long ones are thinned out."""
    shown = list(zip(content.channels, content.values, strict=True))[:MOST_CHANNELS]
    rows = [_channel(name, values, at * (HEIGHT + 12)) for at, (name, values) in enumerate(shown)]
    stamps = content.part(0, 1).stamps() + content.part(max(0, content.steps - 1), content.steps).stamps()
    more = f", {len(content.channels) - len(shown)} more channels" if len(content.channels) > len(shown) else ""
    height = len(shown) * (HEIGHT + 12) + 12
    return (
        f'<svg role="img" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="9" fill="currentColor">'
        f"<title>{html.escape(' to '.join(stamps))}</title>{''.join(rows)}"
        f'<text x="0" y="{height - 3}" opacity="0.7">{html.escape(" to ".join(stamps) + more)}</text></svg>'
    )


def _channel(name: str, values: np.ndarray, top: int) -> str:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    label = f"{html.escape(name)}: {low:.4g} to {high:.4g}"
    points = _points(values, low, high or 1.0, top + 10)
    line = "".join(
        f'<polyline fill="none" stroke="currentColor" stroke-width="1.2" stroke-linejoin="round" points="{part}"/>'
        for part in points
    )
    return f'<text x="0" y="{top + 9}" opacity="0.7">{label}</text>{line}'


def _points(values: np.ndarray, low: float, high: float, top: int) -> list[str]:
    """The line as SVG points, broken where values are missing."""
    index = np.unique(np.linspace(0, max(0, len(values) - 1), min(len(values), MOST_POINTS)).astype(np.int64))
    across = (WIDTH - 2 * EDGE) / max(1, len(values) - 1)
    down = (HEIGHT - 2 * EDGE) / ((high - low) or 1.0)
    parts: list[list[str]] = [[]]
    for at in index:
        if np.isfinite(values[at]):
            parts[-1].append(f"{EDGE + at * across:.1f},{top + HEIGHT - EDGE - (values[at] - low) * down:.1f}")
        elif parts[-1]:
            parts.append([])
    return [" ".join(part) for part in parts if part]
