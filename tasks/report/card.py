"""The data card for a reader: the way from the source to the splits, single values, and labels by split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.report import words
from tasks.report.contents import DatasetReport

STAGES = {
    "clean": "could not be read, or broke a rule",
    "duplicate": "the same as an item that was kept",
    "bridge": "near-duplicates of items in two different splits",
    "embargo": "too near, in time, to the split that follows",
    "gap": "beside items of its group that stand in another split",
    "split": "too short, or unlike the others, for a place in every split",
}
ELSEWHERE = ("splits", "unseen_labels", "borders", "examples", "clusters", "distributions", "distance")  # shown in other ways


@dataclass(frozen=True)
class Step:
    """One line of the way from the source to the splits; `of`: what its bar is a part of."""

    name: str
    count: int
    note: str
    kind: str
    of: int


def funnel(part: DatasetReport) -> list[Step]:
    """From what came in, over what each step threw away, to the splits."""
    dataset = part.result.dataset
    lost = {stage: sum(group.count for group in part.discarded if group.stage == stage) for stage in STAGES}
    lost |= {group.stage: group.count for group in part.discarded if group.stage not in STAGES}
    came, unit = dataset.rows + sum(lost.values()), str(part.card.get("unit", ""))
    things = "series" if dataset.modality == "series" else "items"
    first = Step("came in", came, f"{things} read from the source", "total", came)
    thrown = [Step(stage, -count, STAGES.get(stage, "thrown away"), "lost", came) for stage, count in lost.items() if count]
    kept = Step("kept", dataset.rows, f"data version {dataset.version[:12]}", "total", came)
    whole = sum(dataset.splits.values()) if unit else came
    return [first, *thrown, kept, *(Step(name, count, unit, "split", whole) for name, count in dataset.splits.items())]


def facts(card: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """The card's single values in groups: what it says of itself, then `counts`, `format`, `diversity` and others."""
    nested = {name: value for name, value in card.items() if isinstance(value, Mapping) and name not in ELSEWHERE}
    scalars = {name: value for name, value in card.items() if not isinstance(value, Mapping) and name not in ELSEWHERE}
    groups = {"about": scalars, **{words.plain(str(name)): value for name, value in nested.items()}}
    return {
        name: {words.plain(str(key)): _spread(value) if name == "diversity" else _shown(value) for key, value in group.items()}
        for name, group in groups.items()
        if group
    }


def labels(card: Mapping[str, object]) -> dict[str, dict[str, int]]:
    """How many items of each label are in each split: `{"cat": {"train": 8, "test": 1}}`."""
    by_label: dict[str, dict[str, int]] = {}
    splits = card.get("splits")
    for split, part in splits.items() if isinstance(splits, Mapping) else ():
        counts = part.get("labels", {}) if isinstance(part, Mapping) else {}
        without = part.get("unlabelled", 0) if isinstance(part, Mapping) else 0
        for label, count in {**counts, **({"(no label)": without} if without else {})}.items():
            by_label.setdefault(str(label), {})[str(split)] = count
    return by_label


def _spread(value: object) -> str:
    """The smallest, the median and the largest of what was measured, where it is such a triple."""
    if isinstance(value, (list, tuple)) and len(value) == 3 and all(isinstance(each, (int, float)) for each in value):
        low, middle, high = map(_shown, value)
        return low if low == high else f"{low} to {high}, median {middle}"
    return _shown(value)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return words.count(value)
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{words.plain(str(key))}: {_shown(item)}" for key, item in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_shown, value)) or "none"
    return "–" if value in (None, "") else str(value)
