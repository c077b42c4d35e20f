"""Drawings of the report as inline SVG; their colours come from the page's style, light and dark.

Coordinates are in a drawing 360 units wide, about a phone's width, so that its text stays readable there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from aigc_models.evidence import Measurement
from tasks.report.words import loss, number, plain

WIDTH = 360
ASIDE = frozenset({"step", "seconds", "learning_rate", "epoch"})  # of a learning curve's figures, those that are no loss
MOST_POINTS = 200
UPRIGHT = Markup(
    '<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="6" y2="{1}"/><text class="tick" x="{0:.1f}" y="{2}">{3:,.10g}</text>'
)
LEVEL = Markup(
    '<line class="grid" x1="44" x2="352" y1="{0:.1f}" y2="{0:.1f}"/><text class="tick left" x="38" y="{1:.1f}">{2:,.10g}</text>'
)


@dataclass(frozen=True)
class Scale:
    """A linear map of values from `low..high` to drawing units `start..end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values inside the scale, `most` at most."""
        span = (self.high - self.low) or 1.0
        power = 10.0 ** math.floor(math.log10(span / most))
        step = next(power * factor for factor in (1, 2, 2.5, 5, 10, 20) if span / (power * factor) <= most)
        return [step * count for count in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)][:most]


def losses(curve: Sequence[Mapping[str, float]]) -> list[str]:
    """The names of a learning curve's losses, that of validation first."""
    names = dict.fromkeys(name for point in curve for name in point if name not in ASIDE and not name.startswith("gradient."))
    return sorted(names, key=lambda name: not name.startswith("validation"))


def last(curve: Sequence[Mapping[str, float]], name: str) -> float | None:
    """The last value of one loss."""
    return next((point[name] for point in reversed(curve) if name in point), None)


def learning_curve(member: str, curve: Sequence[Mapping[str, float]]) -> Markup:
    """Every loss of one member over its steps; empty where nothing was recorded."""
    series = {name: _points(curve, name) for name in losses(curve)}
    values = sorted(value for points in series.values() for _, value in points)
    if not values:
        return Markup("")
    high = values[math.ceil(0.98 * (len(values) - 1))]  # the first steps' spikes would flatten all that follows
    x = Scale(0, max(step for points in series.values() for step, _ in points), 44, WIDTH - 8)
    y = Scale(values[0], max(high, values[0] + 1e-9), 158, 10)
    lines = [_line(x, y, points, place) for place, points in enumerate(series.values())]
    description = ", ".join(f"{loss(name)} ends at {number(points[-1][1])}" for name, points in series.items() if points)
    return drawing(f"Learning curve of {member}: {description}", 190, _grid(x, y) + Markup("").join(reversed(lines)))


def intervals(metric: str, measured: Mapping[str, Measurement]) -> Markup:
    """A dot and its 95 % interval for each candidate; a dashed line goes down from the baseline's value."""
    finite = {name: measurement for name, measurement in measured.items() if math.isfinite(measurement.value)}
    if len(finite) < 2:
        return Markup("")
    low, high = (
        min(_low(measurement) for measurement in finite.values()),
        max(_high(measurement) for measurement in finite.values()),
    )
    margin = 0.06 * ((high - low) or abs(high) or 1.0)
    x, bottom = Scale(low - margin, high + margin, 112, WIDTH - 52), 12 + 24 * len(finite)
    ticks = Markup("").join(UPRIGHT.format(x(tick), bottom, bottom + 15, tick) for tick in x.ticks(4))
    rows = Markup("").join(
        _candidate(name, measurement, x, 20 + 24 * place) for place, (name, measurement) in enumerate(finite.items())
    )
    description = ", ".join(f"{name} {number(measurement.value)}" for name, measurement in finite.items())
    return drawing(f"{plain(metric)}: {description}", bottom + 22, ticks + _reference(finite, x, bottom) + rows)


def _candidate(name: str, measurement: Measurement, x: Scale, y: float) -> Markup:
    kind = name if name in ("ensemble", "baseline", "real") else "member"
    return Markup(
        '<g class="{kind}"><text class="name" x="104" y="{text}">{name}</text>'
        '<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
        '<circle class="dot" cx="{middle:.1f}" cy="{y}" r="4.5"/><text class="value" x="{right}" y="{text}">{value}</text></g>'
    ).format(
        kind=kind,
        name=name if len(name) <= 16 else name[:15] + "…",
        low=x(_low(measurement)),
        high=x(_high(measurement)),
        middle=x(measurement.value),
        y=y,
        text=y + 4,
        right=WIDTH - 2,
        value=number(measurement.value),
    )


def _reference(measured: Mapping[str, Measurement], x: Scale, bottom: float) -> Markup:
    if "baseline" not in measured:
        return Markup("")
    line = Markup('<line class="reference" x1="{0:.1f}" x2="{0:.1f}" y1="6" y2="{1}"/>')
    return line.format(x(measured["baseline"].value), bottom)


def _points(curve: Iterable[Mapping[str, float]], name: str) -> list[tuple[float, float]]:
    """Finite (step, value) pairs, thinned to what a drawing can show; the last is always among them."""
    points = [(point["step"], point[name]) for point in curve if name in point and math.isfinite(point[name])]
    stride = math.ceil(len(points) / MOST_POINTS) or 1
    return points[::-stride][::-1]


def _line(x: Scale, y: Scale, points: Sequence[tuple[float, float]], place: int) -> Markup:
    path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points)
    return Markup('<polyline class="series series-{}" points="{}"/>').format(min(place, 3), path)


def _grid(x: Scale, y: Scale) -> Markup:
    along = Markup('<text class="tick" x="{:.1f}" y="174">{}</text>')
    rows = [LEVEL.format(y(tick), y(tick) + 4, tick) for tick in y.ticks()]
    columns = [along.format(x(tick), f"{tick:,.0f}") for tick in x.ticks(4)]
    return Markup("").join([*rows, *columns, Markup('<text class="tick axis" x="{}" y="188">step</text>').format(x.end)])


def drawing(description: str, height: float, inner: Markup) -> Markup:
    """A picture `WIDTH` wide; `description` is what it tells someone who cannot see it."""
    whole = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return whole.format(WIDTH, height, description, inner)


def _low(measurement: Measurement) -> float:
    return measurement.low if math.isfinite(measurement.low) else measurement.value


def _high(measurement: Measurement) -> float:
    return measurement.high if math.isfinite(measurement.high) else measurement.value
