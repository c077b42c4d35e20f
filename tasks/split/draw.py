"""Where groups go that stand nowhere yet.

The shards that one command added are an addition. Additions are looked at one after the other, as if each had been the
last, and what is decided of a group holds for good: what is added later moves nothing. Of an addition, in this order:

1. A group that is too large for validation or test (more than 1.5 times its share of all items), or that is all that its
   label has, is divided inside, by position, label by label, with gaps (`tasks.split.position`).
2. Where there are many groups (validation and test may each expect 6 or more, counted as the inverse of Simpson's index,
   so that a few large ones are few), each goes by its hash alone.
3. Where there are few, they go whole, by the rank of their hash: to test while it has less than its share, then to
   validation, then to train. None takes the last of a label from train.
4. If these do not come to half of the share of validation and test, groups that have enough items are divided inside.

An item without a group goes by its hash, so that it keeps its place when others are corrected or removed; only where
that and the groups leave a part unserved (of step 4) does it take part in step 3 as a group of one. Fewer than 30 items,
which are refused, go by hash.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import numpy as np

from tasks.dataset.card import SPLITS
from tasks.split.groups import UNLABELLED, Groups, number
from tasks.split.position import divisible, part
from tasks.split.rows import Row
from tasks.split.settings import SplitSettings

SEVERAL = 6  # groups that validation and test may expect, from which on hashing serves them
LARGE = 1.5  # times the share of validation or test that a group may have to stand there whole
LARGER = 3.0  # the same where groups are too small to be divided inside
SERVED = 0.5  # of its share that a part has at least
FEWEST = 30  # items of a division that is used
INSIDE = "inside"
BLOCKS = 10  # of a group that is divided inside; a fold holds whole ones
POOL = 1  # in place of labels that have too few items in a group


class Single(NamedTuple):
    """An item without a group: the number of its label, and where its hash puts it."""

    label: int
    split: str


class Drawn(NamedTuple):
    """The split of an item, None in a gap; `fixed` where its group has been decided, whatever else it is near to, and
    `inside` where it does not stand whole; its fold follows from its `block`, which is its group or a part of it."""

    split: str | None
    block: str
    fixed: bool = False
    inside: bool = False


@dataclass
class Draw:
    """`shares`: of validation and test, those that are drawn; `ways`: how groups (numbers) stand that do not go by hash."""

    shares: Mapping[str, float]
    settings: SplitSettings
    groups: Groups = field(default_factory=lambda: Groups.of(()))
    ways: dict[int, str] = field(default_factory=dict)
    lengths: dict[tuple[int, int, int], int] = field(default_factory=dict)  # of group, label or POOL, addition
    since: dict[int, int] = field(default_factory=dict)  # addition in which a group that is divided inside began
    begun: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    rows: int = 0
    single: int = 0
    have: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row], drawn: Collection[str], settings: SplitSettings) -> Draw:
        """Of `drawn` splits, from the items that may stand in them; what of an addition is in memory are numbers."""
        shares = {name: getattr(settings, name) for name in SPLITS[1:] if name in drawn}
        draw = cls(shares, settings, have=dict.fromkeys(shares, 0.0))
        if shares:
            for addition, part_of in groupby(rows, key=lambda row: row.addition):
                draw._add(addition, *_gathered(part_of, int(SEVERAL / min(shares.values())), settings))
        return draw

    def summary(self) -> dict[str, int]:
        """How many groups were not left to their hash; empty where all were."""
        counts = Counter(way == INSIDE for way in self.ways.values())
        return {"whole": counts[False], "inside": counts[True]} if self.ways else {}

    def split(self, row: Row) -> Drawn:
        """Where an item goes; asked for each in turn, since that of a group that is divided inside follows from its place."""
        name = row.group or row.exact
        group = number(name)
        way = self.ways.get(group)
        if way != INSIDE:
            return Drawn(way or by_hash(name, self.settings), name, fixed=bool(way and row.group))
        block = self._block(row)
        at, items = self.begun[block], self.lengths[block]
        self.begun[block] += 1
        split = part(at, items, self.shares, grown=row.addition > self.since[group])
        return Drawn(split, f"{name}\0{BLOCKS * at // items}", fixed=True, inside=True)

    def passed(self, row: Row) -> None:
        """An item that is no longer there keeps its place in a group that is divided inside, so that those behind it do."""
        block = self._block(row)
        if block in self.lengths:
            self.begun[block] += 1

    def _block(self, row: Row) -> tuple[int, int, int]:
        group = number(row.group or row.exact)
        block = group, number(row.label), row.addition
        return block if block in self.lengths else (group, POOL, row.addition)

    def _add(self, addition: int, new: Groups, singles: dict[int, Single], count: int) -> None:
        groups, sizes = new.sizes()
        fresh = ~np.isin(groups, self.groups.groups)
        self.groups = self.groups + new
        self.single += count
        self.rows += count + int(sizes.sum())
        self._count(addition, _sized(groups, sizes, ~fresh & np.isin(groups, _numbers(self.ways))), new)
        if self.rows < FEWEST:
            return
        apart = fresh & np.isin(groups, self._apart())
        inside = {group: size for group, size in _sized(groups, sizes, apart).items() if divisible(size, self.shares)}
        self.ways |= dict.fromkeys(inside, INSIDE)
        self._count(addition, inside, new)
        fresh &= ~np.isin(groups, _numbers(inside))
        if self._many():
            self._expect(int(sizes[fresh].sum()) + count)
            return
        self._expect(count - len(singles))
        self._rank(addition, _sized(groups, sizes, fresh), singles, new)

    def _apart(self) -> np.ndarray:
        """The groups that cannot stand whole, uint64 (group,)."""
        groups, sizes = self.groups.sizes()
        large = groups[sizes > LARGE * min(self.shares.values()) * self.rows]
        return np.union1d(large, self.groups.labelled_apart())

    def _many(self) -> bool:
        """Whether hashing serves validation and test; groups that were divided inside do not count."""
        groups, sizes = self.groups.sizes()
        inside = _numbers(group for group, way in self.ways.items() if way == INSIDE)
        sizes = sizes[~np.isin(groups, inside)].astype(np.float64)
        effective = (sizes.sum() + self.single) ** 2 / max(1.0, (sizes**2).sum() + self.single)
        return bool(effective * min(self.shares.values()) >= SEVERAL)

    def _rank(self, addition: int, fresh: dict[int, int], singles: dict[int, Single], new: Groups) -> None:
        """Decide of few groups, and of few items without one."""
        left = fresh | dict.fromkeys(singles, 1)
        labels = new.labels_of() | {one: {single.label} for one, single in singles.items()}
        hashed = {one: single.split for one, single in singles.items()}
        chosen = self._whole(left, labels, LARGE, hashed)
        if self._served(chosen, left) and self._taught(chosen, labels):
            self.ways |= {group: chosen[group] for group in fresh}
            self._count(addition, fresh, new)
            for split in hashed.values():
                if split in self.have:
                    self.have[split] += 1
            return
        chosen = self._whole(left, labels, LARGE)
        if not self._served(chosen, left):
            inside = {group: size for group, size in fresh.items() if divisible(size, self.shares)}
            self.ways |= dict.fromkeys(inside, INSIDE)
            self._count(addition, inside, new)
            left = {group: size for group, size in left.items() if group not in inside}
            chosen = self._whole(left, labels, LARGE if inside else LARGER)
        self.ways |= chosen
        self._count(addition, left, new)

    def _whole(
        self, sizes: Mapping[int, int], labels: Mapping[int, set[int]], most: float, hashed: Mapping[int, str] | None = None
    ) -> dict[int, str]:
        """The split of each group, where none may have more than `most` times its share; those that go by their hash
        are `hashed`."""
        chosen = dict(hashed or {})
        ranked = sorted(sizes.keys() - chosen.keys(), key=lambda group: _position(str(group), self.settings.seed))
        holders = self._holders({one: labels[one] for one in sizes if chosen.get(one) not in self.shares})
        for name in reversed(list(self.shares)):
            have = self.have[name] + sum(sizes[one] for one, split in chosen.items() if split == name)
            wanted = self.shares[name] * self.rows
            for group in ranked:
                last = any(holders[label] == 1 for label in labels[group] - {UNLABELLED})
                if group not in chosen and not last and have < wanted and have + sizes[group] <= most * wanted:
                    chosen[group] = name
                    have += sizes[group]
                    holders.subtract(labels[group])
        return dict.fromkeys(sizes, "train") | chosen

    def _holders(self, fresh: Mapping[int, set[int]]) -> Counter[int]:
        """How many groups each label has that are not in validation or test, `fresh` ones (with their labels) among them."""
        before = {group: labels for group, labels in self.groups.labels_of().items() if self.ways.get(group) not in SPLITS[1:]}
        return Counter(label for labels in {**before, **fresh}.values() for label in labels)

    def _taught(self, chosen: Mapping[int, str], labels: Mapping[int, set[int]]) -> bool:
        """Whether train has each of the labels."""
        holders = self._holders({one: labels[one] for one, split in chosen.items() if split not in self.shares})
        return all(holders[label] for one in chosen for label in labels[one] - {UNLABELLED})

    def _served(self, chosen: Mapping[int, str], sizes: Mapping[int, int]) -> bool:
        more = Counter[str]()
        for group, name in chosen.items():
            more[name] += sizes[group]
        return all(self.have[name] + more[name] >= SERVED * share * self.rows for name, share in self.shares.items())

    def _count(self, addition: int, sizes: Mapping[int, int], new: Groups) -> None:
        """Add to what each split has; groups that are divided inside get the lengths of what is divided."""
        for group, size in sizes.items():
            way = self.ways.get(group)
            if way == INSIDE:
                self.since.setdefault(group, addition)
                self._measure(addition, group, new)
            if way in (INSIDE, None):
                self._expect(size)
            elif way in self.have:
                self.have[way] += size

    def _measure(self, addition: int, group: int, new: Groups) -> None:
        begin, end = (np.searchsorted(new.groups, np.uint64(group), side) for side in ("left", "right"))
        for label, items in zip(new.labels[begin:end].tolist(), new.counts[begin:end].tolist(), strict=True):
            block = group, label if divisible(items, self.shares) else POOL, addition
            self.lengths[block] = self.lengths.get(block, 0) + items

    def _expect(self, items: int) -> None:
        for name, share in self.shares.items():
            self.have[name] += share * items


def _numbers(groups: Iterable[int]) -> np.ndarray:
    return np.array(list(groups), dtype=np.uint64)


def _sized(groups: np.ndarray, sizes: np.ndarray, wanted: np.ndarray) -> dict[int, int]:
    return dict(zip(groups[wanted].tolist(), sizes[wanted].tolist(), strict=True))


def _gathered(rows: Iterable[Row], most: int, settings: SplitSettings) -> tuple[Groups, dict[int, Single], int]:
    """The groups of an addition; of its items without one at most `most`, by their numbers, or none where there are more;
    and how many these are."""
    singles: dict[int, Single] = {}
    count = 0

    def grouped() -> Iterable[Row]:
        nonlocal count
        for row in rows:
            if row.group:
                yield row
            else:
                count += 1
                if count <= most:
                    singles[number(row.exact)] = Single(number(row.label), by_hash(row.exact, settings))

    groups = Groups.of(grouped())
    return groups, singles if count <= most else {}, count


def by_hash(group: str, settings: SplitSettings) -> str:
    """A split drawn by the hash of `group`: always the same for the same group, seed and fractions."""
    position = _position(group, settings.seed)
    if position < settings.test:
        return "test"
    return "validation" if position < settings.test + settings.validation else "train"


def _position(group: str, seed: str) -> float:
    digest = hashlib.sha256(f"{seed}\0{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
