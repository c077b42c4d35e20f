"""Divide a data set whose items are divided inside, by time: every item stands in each split with a part of its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from aigc_models.errors import BadInput
from tasks.dataset.card import SPLITS
from tasks.dataset.diversity import distributions, diverse
from tasks.dataset.tables import payloads
from tasks.split.division import Division, write_tables
from tasks.split.embargo import length
from tasks.split.place import Place
from tasks.split.rows import Row
from tasks.split.settings import SplitSettings
from tasks.stage.references import CleanRef

EMBARGO = "embargo"  # its length, among the borders


@dataclass(frozen=True)
class Parts:
    """The items of a data set that go together, with the borders of time that hold for all of them."""

    rows: list[Row]
    contents: list[Any]
    borders: dict[str, float]

    def ends(self, modality: ModuleType, content: Any) -> dict[str, int]:
        """How many steps of `content` each split has."""
        begins = {"train": 0} | {name: modality.before(content, self.borders[name]).steps for name in SPLITS[1:]}
        ends = {name: modality.before(content, end).steps for name, end in self.closed().items()} | {"test": content.steps}
        return {name: max(0, ends[name] - begins[name]) for name in SPLITS}

    def closed(self) -> dict[str, float]:
        """When train and validation end: where the next split begins, less the embargo."""
        return {name: within(self.borders, name)[after] for name, after in pairwise(SPLITS)}


def within(borders: Mapping[str, float], split: str) -> dict[str, float]:
    """The borders as one split sees them: where the next one begins for it, an embargo's length earlier."""
    after = dict(pairwise(SPLITS)).get(split)
    return {name: value - (borders.get(EMBARGO, 0.0) if name == after else 0.0) for name, value in borders.items()}


def inside(
    clean: CleanRef, modality: ModuleType, folder: Path, rows: Iterable[Row], settings: SplitSettings, target: Path
) -> Division:
    """Divide the items of `rows` by time, and write the tables into `target`; `folder` is `data/NAME/clean`."""
    by_id = {row.id: row for row in rows}
    pairs = list(payloads(folder, by_id.keys()))
    contents = [modality.unpack(payload) for _, payload in pairs]
    odd = modality.misfits(contents)
    kept = [at for at in range(len(pairs)) if at not in odd]
    fit = [contents[at] for at in kept]
    if not fit:
        return Division(0, len(by_id), dict.fromkeys(SPLITS, 0), {}, {"unit": "steps"})
    borders = modality.borders(fit, settings.validation, settings.test)
    if settings.embargo:
        borders = {**borders, EMBARGO: length(settings.embargo, dated=bool(getattr(fit[0], "dated", True)))}
    parts = Parts([by_id[pairs[at][0]] for at in kept], fit, borders)
    steps = [parts.ends(modality, content) for content in fit]
    misfits = [Place(by_id[pairs[at][0]], None, None, "split", "misfit", reason) for at, reason in odd.items()]
    write_tables(chain(_places(parts, steps), misfits), target)
    counts = {name: sum(one[name] for one in steps) for name in SPLITS}
    placed = sum(any(one.values()) for one in steps)
    card = _card(clean.dataset, modality, parts, steps)
    return Division(placed, len(by_id), counts, {"misfit": len(odd)} if odd else {}, card)


def _places(parts: Parts, steps: Sequence[Mapping[str, int]]) -> Iterator[Place]:
    for row, one in zip(parts.rows, steps, strict=True):
        yield from (Place(row._replace(group=row.id), name) for name in SPLITS if one[name])


def _card(dataset: str, modality: ModuleType, parts: Parts, steps: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    """Steps of each split and label, the borders, what was done to the points, and the format, from the train parts alone."""
    train = [modality.before(content, parts.closed()["train"]) for content in parts.contents]
    train = [content for content in train if content.steps > 1]
    if not train:
        raise BadInput(f"{dataset} has no series with two points before validation begins; add older points")
    labels = [row.label for row in parts.rows]
    splits = {name: _tally(labels, [one[name] for one in steps]) for name in SPLITS}
    train_labels = splits["train"]["labels"]
    unseen = {
        name: {key: count for key, count in part["labels"].items() if key not in train_labels} for name, part in splits.items()
    }
    return {
        "unit": "steps",
        "splits": splits,
        "unseen_labels": unseen,
        "borders": parts.borders,
        "divided": modality.border_dates(parts.contents, parts.borders),
        "handling": modality.handling(parts.contents),
        "format": modality.choose_format(train).model_dump(),
        "diversity": diverse(modality, train),
        "distributions": distributions(modality, train),
    }


def _tally(labels: Sequence[str | None], steps: Sequence[int]) -> dict[str, Any]:
    """Steps in all, of each label, and without one."""
    counts: Counter[str] = Counter()
    for label, count in zip(labels, steps, strict=True):
        if label and count:
            counts[label] += count
    return {"rows": sum(steps), "labels": dict(sorted(counts.items())), "unlabelled": sum(steps) - counts.total()}
