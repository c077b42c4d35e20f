"""The labels that a model gives to test items, any number of each: how well each label is told, and its worst mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    from aigc_models.corpus import Corpus
    from aigc_models.generator import Generator

HEADING = "Which labels it gives"
LEAD = "test items: first those with most labels wrong, then others in the order of the test split"
MOST_LABELS = 30  # the most frequent ones, whose figures are drawn
WIDTH, LEFT, LINE = 360, 110, 18


def answers(generator: Generator, test: Corpus, count: int, folder: Path) -> list[dict[str, Any]]:
    """One drawing, then items: half of them mistakes, as far as there are any."""
    from aigc_models.heads.multilabel import thresholds_of

    labels, chosen = generator.card.labels, test.answered()
    if not len(chosen):
        return []
    contents = generator.modality.decode(generator.modality.tensor(chosen.values), generator.format)
    shares = generator.assign(contents).numpy()
    truth, said = np.asarray(chosen.targets) > 0.5, shares >= np.array(thresholds_of(generator.model, len(labels)))
    (folder / "labels.svg").write_text(drawing := drawn(truth, said, labels), encoding="utf-8")
    note = "precision (dark) and recall (light) of each label, and how many test items have it"
    shown: list[dict[str, Any]] = [{"file": "labels.svg", "label": None, "seed": None, "note": note, "html": drawing}]
    for number, at in enumerate(picked(truth, said, count)):
        path = generator.modality.write(contents[at], folder / f"{number:03d}{generator.modality.suffix}")
        given = ", ".join(labels[column] for column in np.flatnonzero(said[at]).tolist()) or "none"
        shown.append({"file": path.name, "label": given, "seed": None, "note": verdict(truth[at], said[at], labels)})
    return shown


def verdict(truth: np.ndarray, said: np.ndarray, labels: Sequence[str]) -> str:
    """What is missing of an item's labels, and what is too many."""
    parts = {"missing": truth & ~said, "too many": said & ~truth}
    wrong = [
        f"{word}: {', '.join(labels[at] for at in np.flatnonzero(which).tolist())}"
        for word, which in parts.items()
        if which.any()
    ]
    return "; ".join(wrong) or "right"


def picked(truth: np.ndarray, said: np.ndarray, count: int) -> list[int]:
    """Rows: at most half of `count` that are wrong, those with most wrong labels first, and the first ones that are right."""
    errors = (truth != said).sum(1)
    wrong = np.argsort(-errors, kind="stable")[: min(count // 2, int((errors > 0).sum()))]
    return [*wrong.tolist(), *np.flatnonzero(errors == 0)[: count - len(wrong)].tolist()]


def drawn(truth: np.ndarray, said: np.ndarray, labels: Sequence[str]) -> str:
    """Two bars for each label, the most frequent first."""
    order = np.argsort(-truth.sum(0), kind="stable")[:MOST_LABELS]
    right, span = (truth & said).sum(0), WIDTH - LEFT - 44
    parts, words = list[Markup](), []
    bar = Markup('<rect x="{}" y="{:.1f}" width="{:.1f}" height="6" fill="#2b6cb0" fill-opacity="{}"/>')
    for row, at in enumerate(order.tolist()):
        y, name = 6 + row * LINE, labels[at]
        short = name if len(name) <= 15 else f"{name[:14]}…"
        precision, recall = right[at] / max(1, said[:, at].sum()), right[at] / max(1, truth[:, at].sum())
        parts += [
            Markup('<text class="name" x="{}" y="{:.1f}">{}</text>').format(LEFT - 6, y + 10, short),
            bar.format(LEFT, y, max(1.0, span * precision), 0.95),
            bar.format(LEFT, y + 7, max(1.0, span * recall), 0.45),
            Markup('<text class="tick" x="{}" y="{:.1f}">{}</text>').format(WIDTH - 20, y + 10, int(truth[:, at].sum())),
        ]
        words.append(f"{name}: precision {precision:.0%}, recall {recall:.0%}")
    whole = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">{}</svg>'
    )
    return str(whole.format(WIDTH, 12 + LINE * len(order), "; ".join(words), Markup("").join(parts)))
