"""The labels that a classifier gives to test items: where each label goes, how sure it is, and its worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from aigc_models.corpus import Corpus
    from aigc_models.generator import Generator

HEADING = "What it decides"
LEAD = "test items: first those that it has wrong, the surest first, then others in the order of the test split"
BINS = 10  # of probabilities
MOST_LABELS = 12  # whose confusion is drawn
EXPLAINED = 8  # texts whose words are marked by what they say for the answer
WIDTH, LEFT, TOP = 360, 92, 26


def answers(generator: Generator, test: Corpus, count: int, folder: Path) -> list[dict[str, Any]]:
    """Two drawings, then items: half of them mistakes, as far as there are any."""
    labels = generator.card.labels
    rows = np.flatnonzero(np.asarray(test.conditions) < len(labels))
    contents = generator.modality.decode(generator.modality.tensor(test.values[rows]), generator.format)
    shares = generator.shares(contents).numpy()
    there = np.flatnonzero(~np.isnan(shares).any(1))  # the others got no answer
    rows, contents, shares = rows[there], [contents[at] for at in there], shares[there]
    truth, said = np.asarray(test.conditions)[rows], shares.argmax(1)
    shown = []
    if len(rows) and len(labels) <= MOST_LABELS:
        shown.append(_drawn(folder, "confusion.svg", confusion(truth, said, labels), "where each label goes"))
    if len(rows):
        shown.append(_drawn(folder, "reliability.svg", reliability(shares, truth), "how sure, and how often right"))
    for number, at in enumerate(chosen(truth, said, shares, count)):
        path = generator.modality.write(contents[at], folder / f"{number:03d}{generator.modality.suffix}")
        verdict = "right" if truth[at] == said[at] else f"wrong, it is {labels[truth[at]]}"
        note = f"{verdict}; probability {shares[at].max():.2f}"
        entry = {"file": path.name, "label": labels[said[at]], "seed": None, "note": note}
        explained = generator.card.modality == "text" and number < EXPLAINED and not generator.card.outside  # a request a word
        if explained and (html := marked(generator, contents[at])):
            entry["html"] = html
        shown.append(entry)
    return shown


def marked(generator: Generator, text: str) -> str:
    """The text with what speaks for its answer in blue and what against it in red; empty where it cannot be explained."""
    from aigc_models.errors import BadInput
    from aigc_models.explaining.words import explain

    try:
        words = explain(generator, text).words
    except BadInput:
        return ""
    most, parts, at = max(1e-9, *(abs(word.value) for word in words)), [], 0
    for word in words:
        colour = "43, 108, 176" if word.value > 0 else "179, 38, 30"
        mark = Markup('{}<mark style="color:inherit;background:rgba({}, {:.2f})" title="{:+.2f} nats">{}</mark>')
        parts.append(mark.format(text[at : word.start], Markup(colour), 0.5 * abs(word.value) / most, word.value, word.text))
        at = word.end
    return str(Markup("<p>{}{}</p>").format(Markup("").join(parts), text[at:]))


def chosen(truth: np.ndarray, said: np.ndarray, shares: np.ndarray, count: int) -> list[int]:
    """Rows: at most half of `count` that are wrong, the surest first, and the first ones that are right."""
    wrong = np.flatnonzero(truth != said)
    surest = wrong[np.argsort(-shares[wrong].max(1), kind="stable")][: count // 2]
    right = np.flatnonzero(truth == said)[: count - len(surest)]
    return [*surest.tolist(), *right.tolist()]


def confusion(truth: np.ndarray, said: np.ndarray, labels: Sequence[str]) -> str:
    """A square for each pair of labels, the true one down and the answer across, dark for a large share of the true one's."""
    table = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(table, (truth, said), 1)
    shares = table / np.maximum(1, table.sum(1, keepdims=True))
    side = (WIDTH - LEFT - 8) / len(labels)
    height = min(side, 44.0)
    parts = [Markup('<text class="tick" x="{}" y="12">answer</text>').format(LEFT + (WIDTH - LEFT) / 2)]
    for row, name in enumerate(labels):
        short = name if len(name) <= 13 else f"{name[:12]}…"
        parts.append(
            Markup('<text class="name" x="{}" y="{:.1f}">{}</text>').format(LEFT - 6, TOP + (row + 0.6) * height, short)
        )
        for column in range(len(labels)):
            x, y = LEFT + column * side, TOP + row * height
            ink = "#fff" if shares[row, column] > 0.5 else "var(--ink, currentColor)"
            square = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="#2b6cb0" fill-opacity="{:.3f}"/>')
            parts.append(square.format(x, y, side - 2, height - 2, 0.06 + 0.94 * shares[row, column]))
            text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle" font-size="11" style="fill:{}">{}</text>')
            parts.append(text.format(x + side / 2 - 1, y + height / 2 + 4, ink, table[row, column]))
    words = ", ".join(f"{name}: {shares[at, at]:.0%} right" for at, name in enumerate(labels))
    return _svg(f"Answers by true label. {words}", TOP + height * len(labels) + 6, parts)


def reliability(shares: np.ndarray, truth: np.ndarray) -> str:
    """Of answers by how sure they are, the share that is right, as bars beside the diagonal of an honest model."""
    sure, right = shares.max(1), shares.argmax(1) == truth
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    left, bottom, span = 44.0, 170.0, WIDTH - 56.0
    parts = [
        Markup('<line class="grid" x1="{0}" x2="{1}" y1="{2}" y2="{3}"/>').format(left, left + span, bottom, bottom - 150),
        *(_tick(left + span * level, bottom + 14, f"{level:g}") for level in (0, 0.5, 1)),
        *(Markup('<text class="tick left" x="38" y="{:.1f}">{:g}</text>').format(bottom - 150 * y + 4, y) for y in (0, 0.5, 1)),
    ]
    words = []
    for at in np.unique(place).tolist():
        share, count = float(right[place == at].mean()), int((place == at).sum())
        bar = Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="#2b6cb0" fill-opacity="{:.2f}"/>')
        shade = 0.25 + 0.75 * count / len(sure)
        parts.append(
            bar.format(left + span * at / BINS + 1, bottom - 150 * share, span / BINS - 2, max(1.0, 150 * share), shade)
        )
        words.append(f"{count} answers near {(at + 0.5) / BINS:.2f}: {share:.0%} right")
    parts.append(
        Markup('<text class="tick axis" x="{}" y="{}">probability of the answer</text>').format(left + span, bottom + 28)
    )
    return _svg("; ".join(words), bottom + 34, parts)


def _tick(x: float, y: float, text: str) -> Markup:
    return Markup('<text class="tick" x="{:.1f}" y="{:.1f}">{}</text>').format(x, y, text)


def _svg(description: str, height: float, parts: Sequence[Markup]) -> str:
    whole = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">{}</svg>'
    )
    return str(whole.format(WIDTH, height, description, Markup("").join(parts)))


def _drawn(folder: Path, name: str, drawing: str, note: str) -> dict[str, Any]:
    (folder / name).write_text(drawing, encoding="utf-8")
    return {"file": name, "label": None, "seed": None, "note": note, "html": drawing}
