"""The numbers that a model predicts for test items, beside the true ones: all of them in a drawing, and its worst mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from aigc_models.corpus import Corpus
    from aigc_models.generator import Generator

HEADING = "What it predicts"
LEAD = "test items: first those that it misses most, then others in the order of the test split"
MOST = 1000  # points that are drawn
WIDTH, LEFT, SIDE, TOP = 360, 54, 290, 8


def answers(generator: Generator, test: Corpus, count: int, folder: Path) -> list[dict[str, Any]]:
    """One drawing, then items: half of them those with the largest errors."""
    chosen = test.answered()
    if not len(chosen):
        return []
    contents = generator.modality.decode(generator.modality.tensor(chosen.values), generator.format)
    truth, said = np.asarray(chosen.targets, dtype=np.float64)[:, 0], generator.regress(contents).numpy().astype(np.float64)
    half = getattr(generator.model, "half_width", None)
    (folder / "numbers.svg").write_text(drawing := drawn(truth, said, half), encoding="utf-8")
    note = coverage(truth, said, half, getattr(generator.model, "level", 0.0))
    shown: list[dict[str, Any]] = [{"file": "numbers.svg", "label": None, "seed": None, "note": note, "html": drawing}]
    worst = np.argsort(-np.abs(said - truth), kind="stable")[: count // 2]
    others = np.setdiff1d(np.arange(len(truth)), worst)[: count - len(worst)]
    for number, at in enumerate([*worst.tolist(), *others.tolist()]):
        path = generator.modality.write(contents[at], folder / f"{number:03d}{generator.modality.suffix}")
        entry = {"file": path.name, "label": f"{said[at]:.4g}", "seed": None}
        shown.append({**entry, "note": f"it is {truth[at]:.4g}; {abs(said[at] - truth[at]):.3g} off"})
    return shown


def coverage(truth: np.ndarray, said: np.ndarray, half: float | None, level: float) -> str:
    """What the interval about predictions is, and how many of the true numbers lie inside."""
    if half is None:
        return "predicted and true numbers"
    inside = float((np.abs(said - truth) <= half).mean())
    return f"predicted and true numbers; the {level:.0%} interval is ±{half:.3g} and holds {inside:.1%} of these"


def drawn(truth: np.ndarray, said: np.ndarray, half: float | None) -> str:
    """A point for each item, true numbers across and predicted ones up, with the diagonal and the interval about it."""
    least, most = float(min(truth.min(), said.min())), float(max(truth.max(), said.max()))
    scale, bottom = SIDE / max(most - least, 1e-12), TOP + SIDE

    def x(value: float) -> float:
        return LEFT + scale * (value - least)

    def y(value: float) -> float:
        return min(max(bottom - scale * (value - least), TOP), bottom)

    line = Markup('<line class="grid" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"{}/>')
    dashed = Markup(' stroke-dasharray="3 3"')
    parts = [line.format(x(least), y(least), x(most), y(most), "")]
    for shift in (-half, half) if half else ():
        first, last = max(least, least - shift), min(most, most - shift)
        if first < last:
            parts.append(line.format(x(first), y(first + shift), x(last), y(last + shift), dashed))
    for value in (least, (least + most) / 2, most):
        parts.append(Markup('<text class="tick" x="{:.1f}" y="{:.1f}">{:.4g}</text>').format(x(value), bottom + 14, value))
        parts.append(Markup('<text class="tick left" x="{}" y="{:.1f}">{:.4g}</text>').format(LEFT - 6, y(value) + 4, value))
    dot = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="2" fill="#2b6cb0" fill-opacity="0.45"/>')
    parts += [dot.format(x(one), y(other)) for one, other in zip(truth[:MOST].tolist(), said[:MOST].tolist(), strict=True)]
    parts.append(Markup('<text class="tick axis" x="{}" y="{}">true number</text>').format(LEFT + SIDE, bottom + 28))
    words = f"{len(truth)} items from {least:.4g} to {most:.4g}: predicted numbers beside true ones"
    whole = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">{}</svg>'
    )
    return str(whole.format(WIDTH, bottom + 34, words, Markup("").join(parts)))
