"""Divide a data set into train, validation and test so that nothing leaks and no item ever moves."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aigc_models.errors import BadInput
from aigc_models.find import find
from aigc_models.modality import divided_inside
from tasks.dataset.card import SPLITS, data_card
from tasks.dataset.data_lock import writing
from tasks.dataset.named_items import named
from tasks.dataset.numeric_labels import labelled_by_numbers
from tasks.dataset.refused import keep
from tasks.dataset.withdrawn import withdrawn
from tasks.split.compared import changed, largest
from tasks.split.distance import distance
from tasks.split.division import Division, write_tables
from tasks.split.expectations import held
from tasks.split.inside import inside
from tasks.split.place import place
from tasks.split.quarantine import quarantine
from tasks.split.rows import Rows
from tasks.split.settings import SplitSettings
from tasks.stage.references import CleanRef, DuplicatesRef, SplitRef
from tasks.stage.stage import StageContext, stage

__all__ = ["SplitSettings", "split"]

FEWEST = 30  # items in all
FEWEST_HELD_OUT = 2  # items in validation, and in test
MOVED = "{count} items of {name} changed their split; a model that was trained before may have seen what is now its test"
_log = logging.getLogger(__name__)


@stage
def split(clean: CleanRef, duplicates: DuplicatesRef, settings: SplitSettings, context: StageContext) -> SplitRef:
    """Write `splits.parquet`, `quarantine.parquet` and `card.json` into `data/NAME`.

    Raises `BadInput` when there are fewer than 30 usable items, or too few for validation or test, or when the
    items are not what is expected of them.
    """
    folder, table, target = clean.path(context.workspace), duplicates.path(context.workspace), context.folder
    splits = target / "splits.parquet"
    division = divide(clean, folder, table, settings, target)
    if short(division.counts) and withdrawn(folder):  # too many of a part have left, so that others must move
        division = divide(clean, folder, table, settings, target, past=False)
    unit = division.card.get("unit", "items")
    quarantined = quarantine(target / "quarantine.parquet", folder, table, target / "left_out.parquet")
    if refusal := refused(clean.dataset, division.counts, settings, unit, splits):
        raise BadInput(refusal + keep(context.workspace, clean.dataset, target / "quarantine.parquet"))
    moved = changed(folder.parent / "splits.parquet", splits)
    if moved:
        _log.warning("%s", MOVED.format(count=f"{moved:,}", name=clean.dataset))
    outcomes = held(clean.dataset, clean.modality, folder, splits, settings.expect)
    card = data_card(clean, duplicates, folder, splits, division.kept, settings.card, division.card)
    card |= {"expectations": outcomes} if outcomes else {}  # only then: other cards stay as they are
    card |= named(splits, target / "quarantine.parquet", table)
    publish(context, folder.parent, full_card(card, division, settings))
    counts = {f"{unit}_{name}": division.counts[name] for name in SPLITS}
    context.log(**counts, quarantined=quarantined, changed_split=moved)
    return SplitRef.to(
        context.workspace,
        folder.parent,
        dataset=clean.dataset,
        modality=clean.modality,
        rows=division.rows,
        quarantined=quarantined,
        duplicates=duplicates.exact,
        splits={name: division.counts[name] for name in SPLITS},
        labels=tuple(card["splits"]["train"]["labels"]),
    )


def divide(
    clean: CleanRef, folder: Path, duplicates: Path, settings: SplitSettings, target: Path, past: bool = True
) -> Division:
    """Items among the splits, or the steps of each where the modality is divided inside; the tables go into `target`.

    With `past`, items that have left the source since are counted where others are drawn, so that these stay.
    """
    modality = find("aigc_models.modalities", clean.modality)
    rows = Rows(folder, duplicates, copies=False, labelled=not labelled_by_numbers(folder))
    if divided_inside(modality):
        if settings.folds:
            raise BadInput(f"{clean.dataset} is divided inside its items, by time, and has no folds; leave folds out")
        return inside(clean, modality, folder, rows, settings, target)
    if settings.embargo and settings.by != "time":
        raise BadInput(f"an embargo lies between times; split {clean.dataset} by time, or leave the embargo out")
    ways: dict[str, int] = {}
    places = place(rows, settings, replace(rows, past=past), ways)
    splits, left = write_tables(places, target, folds=settings.folds > 0)
    counts = {name: splits[name] for name in SPLITS}
    return Division(splits.total(), splits.total() + left.total(), counts, dict(left), groups=ways)


def full_card(card: Mapping[str, Any], division: Division, settings: SplitSettings) -> dict[str, Any]:
    """The card with how the data set was divided."""
    asked = settings.model_dump(include={"by", "validation", "test", "seed"})
    if division.card:
        asked = {"by": "time", "validation": settings.validation, "test": settings.test}
    asked |= settings.model_dump(include={"embargo", "folds"}, exclude_defaults=True)
    counts = card["counts"]
    for rule in ("embargo", "gap"):
        if lost := division.left.get(rule, 0):
            counts = counts | {"bridges": counts["bridges"] - lost, rule: lost}
    far = {} if division.card else distance(card["splits"])  # where time divides items inside, chance has no part in it
    more = {"distance": far, "groups": division.groups}  # only where there is any: other cards stay as they are
    return {**card, "counts": counts, "split": asked, **{name: value for name, value in more.items() if value}}


def publish(context: StageContext, folder: Path, card: Mapping[str, Any]) -> None:
    """Write the card beside the tables, and only then put each in its place, by renaming."""
    text = json.dumps(card, indent=1, sort_keys=True, ensure_ascii=False)
    (context.folder / "card.json").write_text(text + "\n", encoding="utf-8")
    with writing(context.workspace):
        for name in ("splits.parquet", "quarantine.parquet", "card.json"):
            os.replace(context.folder / name, folder / name)
    (context.folder / "left_out.parquet").unlink()


def short(counts: Mapping[str, int]) -> list[str]:
    """The splits that have too few items."""
    return [name for name in SPLITS if counts.get(name, 0) < FEWEST_HELD_OUT]


def refused(dataset: str, counts: Mapping[str, int], settings: SplitSettings, unit: str, splits: Path) -> str:
    """Why there is too little to learn from or to judge by; empty where there is enough. `splits` is the table of places."""
    total = sum(counts.values())
    if total >= FEWEST and not short(counts):
        return ""
    stand = ", ".join(f"{counts.get(name, 0)} {name}" for name in SPLITS)
    usual = math.ceil(6 / min(settings.validation, settings.test))
    return (
        f"{dataset} has {total} usable {unit} ({stand}); a split needs at least {FEWEST} in all and {FEWEST_HELD_OUT} "
        f"in each part{largest(splits)}: add {unit} ({usual} are enough at these fractions), or raise the fractions "
        "validation and test"
    )
