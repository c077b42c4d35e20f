"""Questions of the test split, the answers that fit them best of all that the split has, and whether they are right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from aigc_models.language.pairs import distinct_answers, pairs_of, right_answers

if TYPE_CHECKING:
    from aigc_models.corpus import Corpus
    from aigc_models.generator import Generator

HEADING = "What it answers"
LEAD = "questions of the test split, none picked by hand: the answers of the split that fit best, the right ones in bold"
BEST = 5  # answers that are shown
LONGEST = 300  # characters of one
MOST = 2_000  # test items whose answers it chooses from


def answers(generator: Generator, test: Corpus, count: int, folder: Path) -> list[dict[str, Any]]:
    """A list for each question; its file holds the question."""
    pairs = pairs_of(test.take(np.arange(min(len(test), MOST))).sequences, generator.format) if len(test) else []
    pool, asked = distinct_answers(pairs), pairs[:count]
    if not asked:
        return []
    shares = generator.match([one.question for one in asked], generator.index(pool)).numpy()
    right, shown = right_answers(asked, pairs, pool), []
    for number, (one, row, fits) in enumerate(zip(asked, shares, right, strict=True)):
        order = (-row).argsort(kind="stable")
        place = 1 + min(at for at, answer in enumerate(order) if fits[answer])
        path = generator.modality.write(one.question, folder / f"{number:03d}{generator.modality.suffix}")
        note = "right" if place == 1 else f"wrong, the right answer is at place {place} of {len(pool)}"
        best = [(pool[answer], float(row[answer]), bool(fits[answer])) for answer in order[:BEST]]
        entry = {"file": path.name, "label": None, "seed": None, "note": f"{note}; score {best[0][1]:.2f}"}
        shown.append({**entry, "html": listed(one.question, best)})
    return shown


def listed(question: str, best: list[tuple[str, float, bool]]) -> str:
    """HTML: the question, and answers with their scores, of which the right ones in bold."""
    lines = Markup("").join(
        (Markup("<li><b>{}</b> {:.2f}</li>") if right else Markup("<li>{} {:.2f}</li>")).format(cut(text), score)
        for text, score, right in best
    )
    return str(Markup('<div class="matched"><p class="quiet">{}</p><ol>{}</ol></div>').format(cut(question), lines))


def cut(text: str) -> str:
    """As much of a text as there is room for."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
