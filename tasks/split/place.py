"""Where each item goes, decided one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from aigc_models.errors import BadInput
from tasks.dataset.card import SPLITS
from tasks.dataset.withdrawn import RULE as WITHDRAWN
from tasks.split.draw import Draw, Drawn
from tasks.split.folds import fold_of
from tasks.split.marks import Marks, key
from tasks.split.rows import AT_ONCE, Row
from tasks.split.settings import SplitSettings
from tasks.split.times import Times

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
May = Callable[[int, Row], tuple[str, ...]]  # the splits in which the item at a place may stand, the preferred one first


class Place(NamedTuple):
    """Where an item stands; or, with `split` None, by which rule and why it stands nowhere."""

    row: Row
    split: str | None
    fold: int | None = None
    stage: str = ""
    rule: str = ""
    reason: str = ""


@dataclass
class Ties:
    """Where those stand that decide over others: items that later ones are near to, and groups of which some item
    is near to another or has a given split. All others go by their hash alone and need not be remembered.

    Marks are 0 for nowhere yet, or 1 + the number of the split; of folds, 1 + the fold.
    """

    items: Marks
    groups: Marks
    item_folds: Marks
    group_folds: Marks
    given: set[str | None]  # the splits that the user's column names; None where some item has none
    unstated: str  # the source of the first item without one

    @classmethod
    def of(cls, rows: Iterable[Row], settings: SplitSettings) -> Ties:
        near, groups, given, unstated = bytearray(), bytearray(), set(), ""
        for row in rows:
            name = None if settings.by == "time" else given_split(row)
            given.add(name)
            if name is None:
                unstated = unstated or row.source
            for other in row.near:
                near += key(other)
            if row.group and (row.near or name):
                groups += key(row.group)
        return cls(Marks(near), Marks(groups), Marks(near), Marks(groups), given, unstated)


def place(
    rows: Iterable[Row],
    settings: SplitSettings,
    counted: Iterable[Row] | None = None,
    ways: dict[str, int] | None = None,
) -> Iterator[Place]:
    """The place of each item; `rows` are gone through more than once.

    In order: an item goes where its near-duplicates and its group stand; where there are none, where its group is
    drawn (`tasks.split.draw`: by its hash; few groups by rank or inside). Only items before it count, so that what is
    added later moves nothing. One whose near-duplicates or group stand in different splits is a bridge, and stands
    nowhere. `counted`: `rows` with those of the past among them, whose groups are counted so that no item moves when
    others leave; `ways` gets how many groups do not go by their hash.
    """
    ties = Ties.of(rows, settings)
    every = rows if counted is None else counted
    may, at, left = allowed(rows, ties, settings), 0, iter(every)
    draw = drawing(every, ties, settings)
    if ways is not None:
        ways.update(draw.summary())
    while part := list(islice(left, AT_ONCE)):
        items, groups = ties.items.places(row.id for row in part), ties.groups.places(row.group for row in part)
        for row, item, group in zip(part, items, groups, strict=True):
            if row.rule is not None:
                if row.rule == WITHDRAWN:
                    draw.passed(row)
                continue
            choices = may(at, row)
            drawn = draw.split(row) if len(choices) > 1 else Drawn("", row.group or row.exact)
            group = -1 if drawn.inside else group
            assigned = placed(row, choices, group, ties, drawn, settings)
            if assigned.split and settings.folds and assigned.split == "train":
                assigned = assigned._replace(fold=folded(row, item, group, drawn.block, ties, settings))
            if assigned.split:
                ties.items[item] = 1 + SPLITS.index(assigned.split)
                ties.groups[group] = ties.groups[group] or 1 + SPLITS.index(assigned.split)
            yield assigned
            at += 1


def placed(row: Row, may: tuple[str, ...], group: int, ties: Ties, drawn: Drawn, settings: SplitSettings) -> Place:
    """Where an item goes that may stand in `may`; `group` is the place of its group among the ties, -1 if it does not tie."""
    if not may:
        return Place(row, None, None, "embargo", "embargo", f"lies {settings.embargo} or less before the next split begins")
    if drawn.split is None:
        return Place(row, None, None, "gap", "gap", "lies beside items of its group that stand in another split")
    marks = {ties.items[near] for near in ties.items.places(row.near)} if row.near else set()
    if len(may) > 1:
        marks.add(ties.groups[group])
    stands = {SPLITS[mark - 1] for mark in marks if mark}
    preferred = {drawn.split} & set(may) or {may[0]}
    chosen = stands or preferred
    if drawn.fixed and not ties.groups[group]:
        chosen = stands | preferred
    if len(chosen) == 1 and chosen <= set(may):
        return Place(row, chosen.pop())
    where = " and ".join(name for name in SPLITS if name in chosen)
    hint = "" if len(may) == len(SPLITS) else f", and it belongs to {may[0]}"
    return Place(row, None, None, "bridge", "bridge", f"its near-duplicates or its group stand in {where}{hint}")


def folded(row: Row, item: int, group: int, block: str, ties: Ties, settings: SplitSettings) -> int | None:
    """The fold of a train item: that of its near-duplicates and its group, else by the hash of its group or `block` of
    it; None where these differ, as it must then not help any member that is to leave one of them out."""
    marks = {ties.item_folds[near] for near in ties.item_folds.places(row.near)} if row.near else set()
    marks = (marks | {ties.group_folds[group]}) - {0}
    if len(marks) > 1:
        return None
    fold = marks.pop() - 1 if marks else fold_of(block, settings.folds, settings.seed)
    ties.item_folds[item] = 1 + fold
    ties.group_folds[group] = 1 + fold
    return fold


def drawing(rows: Iterable[Row], ties: Ties, settings: SplitSettings) -> Draw:
    """Where the items are drawn that may stand in more than one split."""
    if settings.by == "time":
        return Draw.of((), (), settings)
    missing = {name for name in SPLITS[1:] if name not in ties.given}
    if None in ties.given:
        return Draw.of((row for row in rows if given_split(row) in (None, *(["train"] if missing else []))), SPLITS, settings)
    return Draw.of((row for row in rows if given_split(row) == "train"), missing, settings)


def given_split(row: Row) -> str | None:
    """The split that the user's column names; raises `BadInput` for any other word, unless it is gone from the source."""
    word = (row.given or "").strip().lower()
    if word and word not in GIVEN and row.rule != WITHDRAWN:
        raise BadInput(f"{row.source}: split {row.given!r} is none of {', '.join(GIVEN)}; mend the split column")
    return GIVEN.get(word)


def allowed(rows: Iterable[Row], ties: Ties, settings: SplitSettings) -> May:
    """A given split is kept. Where a given column has no validation (or no test) at all, that is drawn from train."""
    if settings.by == "time":
        times = Times.of(rows, settings)
        return lambda at, _: tuple(filter(None, [times.split(at)]))
    if settings.by == "column" and None in ties.given:
        raise BadInput(f"{ties.unstated} has no split, and the split is by column; give every item one, or split by hash")
    missing = tuple(name for name in SPLITS[1:] if name not in ties.given)
    choices = {None: SPLITS, "train": ("train", *missing)} | {name: (name,) for name in SPLITS[1:]}
    return lambda _, row: choices[given_split(row)]
