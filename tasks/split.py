"""Divide a data set into train, validation and test so that nothing leaks and no item ever moves."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from aigc_models.find import find
from aigc_models.modality import divided_inside
from tasks.card import SPLITS, CardSettings, data_card
from tasks.data_lock import writing
from tasks.divide import Division, inside
from tasks.expectations import Expectation, held
from tasks.references import CleanRef, DuplicatesRef, SplitRef
from tasks.stage import StageContext, stage
from tasks.tables import read, shards, write

GIVEN = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
FEWEST = 30  # items in all
FEWEST_HELD_OUT = 2  # items in validation, and in test
SPLIT = dict.fromkeys(("id", "split", "group"), "string")
QUARANTINE = dict.fromkeys(("id", "source", "label", "stage", "rule", "reason"), "string")


class SplitSettings(BaseModel):
    """How items are divided."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Literal["hash", "time", "column"] = Field(
        "hash", description="hash: at random, for good; time: the latest are test; column: every item says its own split"
    )
    validation: float = Field(0.1, gt=0, lt=0.5, description="part of the items for validation (fraction)")
    test: float = Field(0.1, gt=0, lt=0.5, description="part of the items for the test (fraction)")
    seed: str = Field("aigc", description="another text gives another division (text)")
    card: CardSettings = Field(CardSettings(), description="what the data card says beside the figures")
    expect: tuple[Expectation, ...] = Field((), description="what its items are expected to be, or there is no new version")


@dataclass(frozen=True)
class Row:
    """A clean item as the split sees it; `near` are the kept items before it that it is nearly the same as."""

    id: str
    source: str
    label: str | None
    group: str | None
    given: str | None
    time: str | None
    exact: str
    near: tuple[str, ...]
    duplicate_of: str | None
    rule: str | None


@stage
def split(clean: CleanRef, duplicates: DuplicatesRef, settings: SplitSettings, context: StageContext) -> SplitRef:
    """Write `splits.parquet`, `quarantine.parquet` and `card.json` into `data/NAME`.

    Raises `BadInput` when there are fewer than 30 usable items, or too few for validation or test, or when the
    items are not what is expected of them.
    """
    folder = clean.path(context.workspace)
    rows = load(folder, duplicates.path(context.workspace))
    kept = [row for row in rows if row.duplicate_of is None]
    division = divide(clean, folder, kept, settings)
    unit = division.card.get("unit", "items")
    check(clean.dataset, division.counts, settings, unit)
    quarantined = quarantine(folder, rows, division.left_out, unit)
    placed = {key: name for key, name, _ in division.places}
    outcomes = held(clean.dataset, clean.modality, folder, placed, settings.expect)
    columns = {name: [row[at] for row in division.places] for at, name in enumerate(SPLIT)}
    splits = write(context.folder / "splits.parquet", SPLIT, columns)
    card = data_card(clean, duplicates, folder, splits, len(kept), settings.card, division.card)
    card |= {"expectations": outcomes} if outcomes else {}  # only then: other cards stay as they are
    card["split"] = settings.model_dump(include={"by", "validation", "test", "seed"})
    if division.card:
        card["split"] = {"by": "time", "validation": settings.validation, "test": settings.test}
    publish(context, folder.parent, quarantined, card)
    context.log(**{f"{unit}_{name}": division.counts[name] for name in SPLITS}, quarantined=len(quarantined["id"]))
    return SplitRef.to(
        context.workspace,
        folder.parent,
        dataset=clean.dataset,
        modality=clean.modality,
        rows=len(placed),
        quarantined=len(quarantined["id"]),
        duplicates=duplicates.exact,
        splits={name: division.counts[name] for name in SPLITS},
        labels=tuple(card["splits"]["train"]["labels"]),
    )


def divide(clean: CleanRef, folder: Path, kept: Sequence[Row], settings: SplitSettings) -> Division:
    """Items among the splits, or the steps of each where the modality is divided inside."""
    modality = find("aigc_models.modalities", clean.modality)
    if divided_inside(modality):
        labels = {row.id: row.label for row in kept}
        return inside(clean.dataset, modality, folder, labels, (settings.validation, settings.test))
    placed, bridges = place(kept, settings)
    groups = {row.id: row.group or row.exact for row in kept}
    counts = Counter(placed.values())
    return Division(
        [(key, name, groups[key]) for key, name in placed.items()], bridges, {name: counts[name] for name in SPLITS}
    )


def publish(context: StageContext, folder: Path, quarantined: dict[str, list[Any]], card: dict[str, Any]) -> None:
    """Write the other two files beside the data as well and only then put each in its place, by renaming."""
    write(context.folder / "quarantine.parquet", QUARANTINE, quarantined)
    text = json.dumps(card, indent=1, sort_keys=True, ensure_ascii=False)
    (context.folder / "card.json").write_text(text + "\n", encoding="utf-8")
    with writing(context.workspace):
        for name in ("splits.parquet", "quarantine.parquet", "card.json"):
            os.replace(context.folder / name, folder / name)


def load(clean: Path, duplicates: Path) -> list[Row]:
    """All clean items in shard order."""
    names = ["id", "source", "label", "group", "split", "time", "exact"]
    found = ["near", "duplicate_of", "rule"]
    columns = read(shards(clean), names) | read([duplicates], found)
    columns["near"] = [tuple(near) for near in columns["near"]]
    return [Row(*values) for values in zip(*(columns[name] for name in names + found), strict=True)]


def given_split(row: Row) -> str | None:
    """The split that the user's column names; raises `BadInput` for any other word."""
    word = (row.given or "").strip().lower()
    if word and word not in GIVEN:
        raise BadInput(f"{row.source}: split {row.given!r} is none of {', '.join(GIVEN)}; mend the split column")
    return GIVEN.get(word)


def place(rows: Sequence[Row], settings: SplitSettings) -> tuple[dict[str, str], dict[str, str]]:
    """The split of each item that has one, and for each bridge the reason why it has none.

    In order: an item goes where its near-duplicates and its group stand; where there are none, by the hash of
    its group. Only items before it count, so that what is added later moves nothing.
    """
    choices = allowed(rows, settings)
    placed: dict[str, str] = {}
    bridges: dict[str, str] = {}
    groups: dict[str, str] = {}
    for row in rows:
        may = choices[row.id]
        stands = {placed[other] for other in row.near if other in placed}
        if row.group in groups and len(may) > 1:
            stands.add(groups[row.group])
        place_of = stands or {by_hash(row.group or row.exact, settings)} & set(may) or {may[0]}
        if len(place_of) == 1 and place_of <= set(may):
            placed[row.id] = place_of.pop()
            if row.group:
                groups.setdefault(row.group, placed[row.id])
        else:
            where = " and ".join(name for name in SPLITS if name in place_of)
            own = "" if len(may) == len(SPLITS) else f", and it belongs to {may[0]}"
            bridges[row.id] = f"its near-duplicates or its group stand in {where}{own}"
    return placed, bridges


def by_hash(key: str, settings: SplitSettings) -> str:
    """A split drawn by the hash of `key`: always the same for the same key, seed and fractions."""
    digest = hashlib.sha256(f"{settings.seed}\0{key}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < settings.test:
        return "test"
    return "validation" if position < settings.test + settings.validation else "train"


def allowed(rows: Sequence[Row], settings: SplitSettings) -> dict[str, tuple[str, ...]]:
    """The splits in which each item may stand, the preferred one first.

    A given split is kept. Where a given column has no validation (or no test) at all, that is drawn from train.
    """
    if settings.by == "time":
        return {row.id: (name,) for row, name in zip(rows, by_time(rows, settings), strict=True)}
    given = {row.id: given_split(row) for row in rows}
    missing = tuple(name for name in SPLITS[1:] if name not in given.values())
    if settings.by == "column" and None in given.values():
        source = next(row.source for row in rows if given[row.id] is None)
        raise BadInput(f"{source} has no split, and the split is by column; give every item one, or split by hash")
    return {key: SPLITS if name is None else ("train", *missing) if name == "train" else (name,) for key, name in given.items()}


def by_time(rows: Sequence[Row], settings: SplitSettings) -> list[str]:
    """Train, then validation, then test, in the order of event time; equal times stay together.

    As data grows the borders move on, as they must.
    """
    moments = times(rows)
    ordered = sorted(moments)
    first_test = ordered[-max(1, math.floor(len(rows) * settings.test))]
    earlier = [moment for moment in ordered if moment < first_test] or ordered
    first_validation = earlier[-max(1, math.floor(len(rows) * settings.validation)) :][0]
    return ["test" if moment >= first_test else "validation" if moment >= first_validation else "train" for moment in moments]


def times(rows: Iterable[Row]) -> list[float]:
    """Event times as seconds, or as the plain numbers that they are; raises `BadInput` for one that is neither."""
    import pandas

    found = []
    for row in rows:
        try:
            found.append(float(row.time or ""))
        except ValueError:
            moment = pandas.to_datetime(row.time or "", utc=True, errors="coerce")
            if pandas.isna(moment):
                said = f"{row.source}: time {row.time!r} is neither a number nor a date"
                raise BadInput(f"{said}; give every item a time, or split by hash") from None
            found.append(moment.timestamp())
    return found


def check(dataset: str, counts: Mapping[str, int], settings: SplitSettings, unit: str = "items") -> None:
    """Raises `BadInput` when there is too little to learn from or to judge by."""
    total = sum(counts.values())
    short = [name for name in SPLITS if counts.get(name, 0) < FEWEST_HELD_OUT]
    if total >= FEWEST and not short:
        return
    stand = ", ".join(f"{counts.get(name, 0)} {name}" for name in SPLITS)
    usual = math.ceil(6 / min(settings.validation, settings.test))
    raise BadInput(
        f"{dataset} has {total} usable {unit} ({stand}); a split needs at least {FEWEST} in all and {FEWEST_HELD_OUT} "
        f"in each part: add {unit} ({usual} are enough at these fractions), or raise the fractions validation and test"
    )


def quarantine(clean: Path, rows: Sequence[Row], left_out: Mapping[str, str], unit: str = "items") -> dict[str, list[Any]]:
    """The columns of `quarantine.parquet`: what was rejected, then duplicates, then bridges (or what does not fit the rest)."""
    rejected = read(shards(clean, rejected=True), ["id", "source", "label", "rule", "reason"])
    rejected["stage"] = ["clean"] * len(rejected["id"])
    sources = {row.id: row.source for row in rows}
    found = [
        (row.id, row.source, row.label, "duplicate", row.rule, _same(row, sources[row.duplicate_of]))
        for row in rows
        if row.duplicate_of is not None
    ]
    why = ("bridge", "bridge") if unit == "items" else ("split", "misfit")
    found += [(row.id, row.source, row.label, *why, left_out[row.id]) for row in rows if row.id in left_out]
    return {name: rejected[name] + [entry[at] for entry in found] for at, name in enumerate(QUARANTINE)}


def _same(row: Row, source: str) -> str:
    if row.rule == "superseded":
        return f"a later state of {source} has these points and more"
    return f"same content as {source}"
