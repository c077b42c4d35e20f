"""What a registered model replies to a question: an answer that was given before, and the case that it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aigc_models.errors import BadInput
from aigc_models.language.cases import SURE, Reply

if TYPE_CHECKING:
    from aigc_models.generator import Generator

UNKNOWN = "I do not know."
MOST = 100  # replies


def replied(generator: Generator, question: str, count: int = 1, confidence: float = SURE) -> dict[str, Any]:
    """As JSON: `answered`, the `text` (`UNKNOWN` where no case is sure enough) and the `replies`, the nearest first, each with
    its `confidence`, the `case` that it rests on, and whether it is to be `given`.

    Raises `BadInput` for a question without a word, a count that is none, and a confidence outside of 0 to 1.
    """
    if not 1 <= count <= MOST:
        raise BadInput(f"count is {count}; ask for 1 to {MOST} replies")
    if not 0 <= confidence <= 1:
        raise BadInput(f"confidence is {confidence:g}; it is a share, 0 to 1")
    replies = generator.reply(question, count)
    given = replies[0].suits(confidence)
    rows = [row(reply, confidence) for reply in replies]
    return {"answered": given, "text": replies[0].answer if given else UNKNOWN, "replies": rows}


def row(reply: Reply, confidence: float) -> dict[str, Any]:
    """A reply as JSON."""
    sure = None if reply.confidence is None else round(reply.confidence, 4)
    case = {"id": reply.case.id, "question": reply.case.question}
    return {"given": reply.suits(confidence), "answer": reply.answer, "confidence": sure, "case": case}


def drawn(replies: Sequence[Reply], temperature: float, seed: int) -> list[Reply]:
    """Replies in an order that is drawn by how well they suit (softmax of score / `temperature`, without putting back);
    at 0 as they are."""
    if not temperature:
        return list(replies)
    noise = np.random.default_rng(seed).gumbel(size=len(replies))
    keys = np.array([reply.score for reply in replies]) / temperature + noise
    return [replies[at] for at in (-keys).argsort(kind="stable")]
