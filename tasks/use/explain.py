"""Why a registered classifier of texts decided so, as JSON and in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aigc_models.generator import Generator
    from tasks.use.infer import Question


def explained(question: Question) -> dict[str, Any]:
    """The explanation of each item, about `question.label` or the likeliest one."""
    from aigc_models.capabilities import Classifies

    rows = [{"input": item.name, **of_text(question.generator, item.content, question.label)} for item in question.items]
    return question.answer(Classifies, "explained", rows)


def of_text(generator: Generator, text: str, label: str | None = None) -> dict[str, Any]:
    """One text: the label, its probability, what each word adds to its logarithm (nats), and the check by deletion."""
    from aigc_models.explaining.words import explain

    said = explain(generator, text, label)
    return {
        "label": said.label,
        "probability": said.probability,
        "words": [word._asdict() for word in said.words],
        "check": {
            "removed": list(said.removed),
            "probability_without": said.without_these,
            "probability_without_random": said.without_random,
        },
        "methods": said.methods,
    }
