"""Questions of the test split, the answers that fit them best of all that the split has, and whether they are right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from aigc_models.language.cases import SURE, answering, judged, mixed
from aigc_models.language.pairs import Pair, distinct_answers, pairs_of, right_answers

if TYPE_CHECKING:
    from aigc_models.corpus import Corpus
    from aigc_models.generator import Generator
    from aigc_models.language.cases import Reply

HEADING = "What it answers"
LEAD = "questions of the test split, none picked by hand, and the answers that suit them best, the right ones in bold"
BEST = 5  # answers that are shown
FIGURES = "replies.json"
LONGEST = 300  # characters of one
MOST = 2_000  # test items whose answers it chooses from


def answers(generator: Generator, test: Corpus, count: int, folder: Path) -> list[dict[str, Any]]:
    """A list for each question, whose file holds the question; of a model that keeps cases, first what its replies come to
    on the whole split (`replies.json`), and what it replies from the cases of the other splits."""
    pairs = pairs_of(test.take(np.arange(min(len(test), MOST))).sequences, generator.format) if len(test) else []
    if not pairs:
        return []
    if generator.cases is not None:
        return replies(generator, pairs, count, folder)
    pool, asked = distinct_answers(pairs), pairs[:count]
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


def replies(generator: Generator, pairs: list[Pair], count: int, folder: Path) -> list[dict[str, Any]]:
    """What the model replies to test questions from the cases that are none of them."""
    book = generator.case_book.without(set(pairs))
    scores = book.of_answers(book.of_cases(mixed(book.member_scores([one.question for one in pairs]), book.kept.weights)))
    right = answering(pairs, book.kept.cases, book.answers)
    figures = judged(book.kept, scores, right)
    (folder / FIGURES).write_text(json.dumps(figures, indent=1) + "\n")
    shown: list[dict[str, Any]] = [
        {"file": FIGURES, "label": None, "seed": None, "note": f"{len(pairs)} questions", "html": summed_up(figures)}
    ]
    for number, (one, fits) in enumerate(zip(pairs[:count], right, strict=False)):
        best = book.reply(one.question, BEST) if one.question.strip() else []
        path = generator.modality.write(one.question, folder / f"{number:03d}{generator.modality.suffix}")
        rights = {book.answers[at] for at in np.flatnonzero(fits)}
        rows = [(reply.answer, reply.confidence or 0.0, reply.answer in rights) for reply in best]
        entry = {"file": path.name, "label": None, "seed": None, "note": verdict(best, rights)}
        shown.append({**entry, "html": listed(one.question, rows)})
    return shown


def verdict(best: list[Reply], rights: set[str]) -> str:
    """What became of a question."""
    if not best or not best[0].suits():
        return f"not answered; {'a case has the answer' if rights else 'no case has the answer'}"
    what = "right" if best[0].answer in rights else "wrong, another case has the answer" if rights else "no case has the answer"
    return f"{what}; rests on case {best[0].case.id}: {cut(best[0].case.question)}"


def summed_up(figures: dict[str, float]) -> str:
    """HTML: the figures in a sentence each."""
    count = int(figures["answerable"])
    lines = [
        f"{count} of {int(figures['questions'])} questions have their answer among the cases of the other splits.",
        f"Of these {figures['right']:.0%} are answered rightly and {figures['wrong']:.0%} wrongly; the rest it does not know.",
        f"Once the cases that answer a question are left out, {figures['unfounded']:.0%} are answered all the same "
        f"(about {1 - SURE:.0%} is what the threshold is chosen for).",
    ]
    return str(
        Markup('<div class="matched"><ul>{}</ul></div>').format(Markup("").join(map(Markup("<li>{}</li>").format, lines)))
    )


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
