"""Tunes as piano rolls (SVG), histories as tables."""

from __future__ import annotations

import html

import numpy as np

from aigc_models.modalities.events.events import PERCUSSION, Events
from aigc_models.reading.steps import stamps

COLOURS = ("#2b6cb0", "#c05621", "#2f855a", "#97266d", "#6b46c1", "#b7791f", "#2c7a7b", "#9b2c2c")
DRUM_COLOUR = "#718096"
MOST_NOTES = 2000  # that are drawn
QUARTER, ROW, EDGE = 12, 5, 34  # pixels: width of a quarter note, height of a pitch, room for their names
WIDEST = 960
SHOWN = 15  # events of a history
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def preview(content: Events) -> str:
    """A piece of HTML that needs nothing else."""
    return _roll(content) if content.tune else _table(content)


def _roll(content: Events) -> str:
    """One bar a note, over time; the pitch goes up, a colour is a voice."""
    shown = content.take(np.arange(min(len(content), MOST_NOTES)))
    if not len(shown) or shown.durations is None or shown.voices is None:
        return "<p>no notes</p>"
    low, high = int(shown.values.min()) - 1, int(shown.values.max()) + 1
    start, quarter = float(shown.times.min()), min(QUARTER, WIDEST / max(1.0, shown.length))
    width, height = EDGE + quarter * shown.length + 2, ROW * (high - low + 1)
    lines = "".join(_line(pitch, high, width) for pitch in range(low, high + 1) if pitch % 12 == 0)
    bars = "".join(
        f'<rect x="{EDGE + quarter * (at - start):.1f}" y="{ROW * (high - pitch):.0f}" rx="1" '
        f'width="{max(1.0, quarter * lasts - 0.6):.1f}" height="{ROW - 0.6}" fill="{_colour(voice)}"/>'
        for at, pitch, lasts, voice in zip(
            shown.times.tolist(), shown.values.tolist(), shown.durations.tolist(), shown.voices.tolist(), strict=True
        )
    )
    left_out = f", the first {len(shown):,} drawn" if len(shown) < len(content) else ""
    caption = f"{len(content):,} notes, {len(np.unique(shown.voices))} voices, {content.length:,.6g} quarter notes{left_out}"
    return (
        f'<svg viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}" role="img" aria-label="{caption}" '
        f'style="max-width:100%"><title>{caption}</title>{lines}{bars}</svg>'
    )


def _line(pitch: int, high: int, width: float) -> str:
    """The line of a C with its name, as pianists count octaves: middle C is C4."""
    y = ROW * (high - pitch) + ROW / 2
    return (
        f'<path d="M{EDGE} {y}H{width:.0f}" stroke="#cbd5e0" stroke-width="0.7"/>'
        f'<text x="{EDGE - 6}" y="{y + 3.5}" text-anchor="end" font-size="10" fill="#718096">'
        f"{NAMES[pitch % 12]}{pitch // 12 - 1}</text>"
    )


def _colour(voice: int) -> str:
    return DRUM_COLOUR if voice == PERCUSSION else COLOURS[voice % len(COLOURS)]


def _table(content: Events) -> str:
    """The newest events, oldest first."""
    if not len(content):
        return "<p>no events</p>"
    first = max(0, len(content) - SHOWN)
    shown = content.take(np.arange(first, len(content)))
    weights = [] if shown.weights is None else ["" if value != value else f"{value:g}" for value in shown.weights]
    columns = [stamps(shown.times, shown.dated), [str(item) for item in shown.values], *([weights] if weights else [])]
    heads = ["time", "item", "weight"][: len(columns)]
    rows = [heads, *zip(*columns, strict=True)]
    cells = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    earlier = f"<p>{first:,} earlier events</p>" if first else ""
    return f"{earlier}<table>{cells}</table>"
