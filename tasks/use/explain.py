"""Why a registered model of texts decided so, or what it held for likely in a text, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aigc_models.heads import GENERATE

if TYPE_CHECKING:
    from aigc_models.generator import Generator
    from tasks.stage.settings import Workspace
    from tasks.use.infer import Question
    from tasks.use.provenance import Identity


def explained(question: Question, workspace: Workspace | None = None) -> dict[str, Any]:
    """The explanation of each item, about `question.label` or the likeliest one; of a generator its tokens, and the nearest
    training text where `workspace` has the version of the data that the model learnt from."""
    from aigc_models.capabilities import Classifies, Streams

    if question.generator.card.task == GENERATE:
        texts = [item.content for item in question.items]
        near = nearest(workspace, question.identity, texts) if workspace else [None] * len(texts)
        read = [of_generated(question.generator, text, question.label) for text in texts]
        rows = [
            {"input": item.name, **each, "nearest_training_text": one}
            for item, each, one in zip(question.items, read, near, strict=True)
        ]
        return question.answer(Streams, "explained", rows)
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


def of_generated(generator: Generator, text: str, label: str | None = None) -> dict[str, Any]:
    """A text token by token: probability, entropy (nats), what was likeliest there, and the same of each member."""
    from aigc_models.explaining.tokens import Wanted, read

    def row(wanted: Wanted) -> dict[str, Any]:
        return {name: round(value, 6) if isinstance(value, float) else value for name, value in wanted._asdict().items()}

    said = read(generator, text, label)
    tokens = [
        {
            "text": token.text,
            "start": token.start,
            "end": token.end,
            **row(token.wanted),
            "entropy": round(token.entropy, 6),
            "members": {name: row(wanted) for name, wanted in token.members.items()},
        }
        for token in said.tokens
    ]
    return {"nats": round(said.nats, 6), "end_probability": round(said.ends, 6), "tokens": tokens}


def nearest(workspace: Workspace, identity: Identity, texts: Sequence[str]) -> list[dict[str, Any] | None]:
    """Of each text the training item that is most like it: its `id`, `text` and `distance` (0: the same words; 1: none
    shared); None each where the version of the data is not here."""
    from aigc_models.errors import AigcError
    from aigc_models.metrics._text_distance import closest
    from tasks.dataset.tables import read as read_table
    from tasks.dataset.tables import shards
    from tasks.version.reading import reading

    try:
        with reading(workspace, identity.dataset, identity.data_version) as folder:
            places = read_table([folder / "splits.parquet"], ["id", "split"])
            table = read_table(shards(folder / "clean"), ["id", "content"])
    except (AigcError, OSError):
        return [None] * len(texts)
    train = {key for key, split in zip(places["id"], places["split"], strict=True) if split == "train"}
    rows = [
        (key, content.decode("utf-8", "replace"))
        for key, content in zip(table["id"], table["content"], strict=True)
        if key in train
    ]
    if not rows:
        return [None] * len(texts)
    best, far = closest([text for _, text in rows], list(texts))
    return [
        {"id": rows[row][0], "text": rows[row][1], "distance": round(distance, 4)}
        for row, distance in zip(best.tolist(), far.tolist(), strict=True)
    ]
