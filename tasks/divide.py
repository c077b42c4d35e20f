"""Divide a data set whose items are divided inside, by time: every item stands in each split with a part of its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from aigc_models.errors import BadInput
from tasks.card import SPLITS
from tasks.tables import payloads


@dataclass(frozen=True)
class Division:
    """`places` are rows (id, split, group); `left_out` says why an item stands nowhere; `counts` are items or steps.

    `card` goes into the data card on top of what it says of every data set.
    """

    places: list[tuple[str, str, str]]
    left_out: dict[str, str]
    counts: dict[str, int]
    card: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """The items of a data set that go together, with the borders of time that hold for all of them."""

    ids: list[str]
    contents: list[Any]
    borders: dict[str, float]

    def ends(self, modality: ModuleType, content: Any) -> dict[str, int]:
        """How many steps of `content` each split has."""
        validation, test = (modality.before(content, self.borders[name]).steps for name in SPLITS[1:])
        return {"train": validation, "validation": test - validation, "test": content.steps - test}


def inside(
    dataset: str, modality: ModuleType, folder: Path, labels: Mapping[str, str | None], fractions: tuple[float, float]
) -> Division:
    """Divide the items of `labels` (id: label) by time; `fractions` are those of validation and test."""
    pairs = list(payloads(folder, labels.keys()))
    contents = [modality.unpack(payload) for _, payload in pairs]
    odd = modality.misfits(contents)
    ids = [key for at, (key, _) in enumerate(pairs) if at not in odd]
    kept = [content for at, content in enumerate(contents) if at not in odd]
    parts = Parts(ids, kept, modality.borders(kept, *fractions))
    steps = [parts.ends(modality, content) for content in kept]
    counts = {name: sum(one[name] for one in steps) for name in SPLITS}
    places = [(key, name, key) for key, one in zip(ids, steps, strict=True) for name in SPLITS if one[name]]
    left_out = {pairs[at][0]: reason for at, reason in odd.items()}
    return Division(places, left_out, counts, _card(dataset, modality, parts, labels, steps))


def _card(
    dataset: str, modality: ModuleType, parts: Parts, labels: Mapping[str, str | None], steps: Sequence[Mapping[str, int]]
) -> dict[str, Any]:
    """Steps of each split and label, the borders, what was done to the points, and the format, from the train parts alone."""
    train = [modality.before(content, parts.borders["validation"]) for content in parts.contents]
    train = [content for content in train if content.steps > 1]
    if not train:
        raise BadInput(f"{dataset} has no series with two points before validation begins; add older points")
    own = [labels[key] for key in parts.ids]
    splits = {name: _tally(own, [one[name] for one in steps]) for name in SPLITS}
    known = splits["train"]["labels"]
    unseen = {name: {key: count for key, count in part["labels"].items() if key not in known} for name, part in splits.items()}
    return {
        "unit": "steps",
        "splits": splits,
        "unseen_labels": unseen,
        "borders": parts.borders,
        "divided": modality.told(parts.contents, parts.borders),
        "handling": modality.handling(parts.contents),
        "format": modality.choose_format(train).model_dump(),
        "diversity": modality.spread(train),
    }


def _tally(labels: Sequence[str | None], steps: Sequence[int]) -> dict[str, Any]:
    """Steps in all, of each label, and without one."""
    counts: Counter[str] = Counter()
    for label, count in zip(labels, steps, strict=True):
        if label and count:
            counts[label] += count
    return {"rows": sum(steps), "labels": dict(sorted(counts.items())), "unlabelled": sum(steps) - counts.total()}
