"""Tables whose rows are events: all rows of a user are one item, a history in the order of time.

    aigc data add films ratings.csv --modality events --group user --content item,rating --time timestamp

`--content` names the column of the items and, behind a comma, that of a weight. Rows that have no user, item or time go to
the quarantine one by one. `MOST` rows are held in memory, in about 40 bytes each; a longer table is read in parts, for which
the rows of a user have to stand together.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aigc_models.errors import BadInput, Unreadable, unusable
from aigc_models.modalities import events
from aigc_models.modalities.events.events import history
from aigc_models.reading import cells, timestamps
from tasks.ingest.readers import headers, titles
from tasks.ingest.readers.cell import PROBLEM, Row, text
from tasks.ingest.source import RawItem, SourceSettings

MODALITY = "events"
MOST = 10_000_000  # rows held at a time
FEW = 3  # rows that a message names


@dataclass(frozen=True)
class Columns:
    """What the columns are for."""

    user: str | None
    item: str
    time: str
    weight: str | None
    label: str | None
    split: str | None


class Bad(Exception):
    """Why a row cannot be used."""


def suits(source: SourceSettings, modality: str) -> bool:
    """Whether rows are events: they have a time. Without one a row is an item, such as a tune in a cell."""
    return modality == MODALITY and source.time is not None


def items(table: Iterable[Row], columns: Sequence[str], source: SourceSettings) -> Iterator[RawItem]:
    """One item for each user, and one without content for each row that cannot be used."""
    source.labels.needs(("column", "name"), source.location)
    chosen = chosen_columns(columns, source)
    held = Histories(chosen, source.path.name, source.labels.of_name(source.path.name), titles.titles(source))
    for number, row in enumerate(table, start=1):
        try:
            held.add(row, number)
        except Bad as error:
            yield held.unusable(number, str(error))
        if len(held.times) >= MOST:
            yield from held.flush(number)
    yield from held.all()


def chosen_columns(columns: Sequence[str], source: SourceSettings) -> Columns:
    """As the user named them; raises `BadInput` for one that there is not, or where the item's is not named."""
    listed = headers.listed(columns)
    content = source.content or ""
    item, _, weight = (content, "", "") if content in columns else content.partition(",")
    named = {**source.columns, "content": item.strip(), "weight": weight.strip()}
    for purpose, column in named.items():
        if column and column not in columns:
            raise headers.missing(columns, column, purpose, source.path.name)
    if not item:
        raise BadInput(f"{source.path.name}: say with --content which column names the items of a history; it has: {listed}")
    optional = {purpose: named.get(purpose) or None for purpose in ("weight", "label", "split")}
    return Columns(named.get("group"), named["content"], named["time"], **optional)


class Histories:
    """The rows that were read and not yet given out, in compact columns."""

    def __init__(self, columns: Columns, file: str, label: str | None, called: Mapping[str, str] | None = None) -> None:
        """`called`: by the name of an item in its column, what it is called."""
        self.columns, self.file, self.label, self.called = columns, file, label, called or {}
        self.codes: dict[str, int] = {}  # of all users so far, in the order in which they first come
        self.fixed: list[tuple[str | None, str | None]] = []  # of each its label and its split
        self.names: dict[str, int] = {}  # of items
        self.current, self.grouped, self.given = -1, True, 0  # `given`: users whose histories are out
        self.digits: set[int] = set()
        self.dates: list[str] | None = None  # times as they are written, where they are no numbers
        self._clear()

    def _clear(self) -> None:
        self.users, self.items, self.numbers = array("i"), array("i"), array("q")
        self.times, self.weights = array("d"), array("d")

    def add(self, row: Row, number: int) -> None:
        """Raises `Bad` for a row that cannot be used, and `BadInput` for a table that cannot."""
        if PROBLEM in row:
            raise Bad(str(row[PROBLEM]))
        cell = {purpose: text(row.get(name)) if name else "" for purpose, name in vars(self.columns).items()}
        for purpose in ("user", "item", "time"):
            if cell[purpose] is None or (purpose != "user" and not str(cell[purpose]).strip()):
                raise Bad(f"has no {purpose} (column {getattr(self.columns, purpose)!r})")
        weight, time = self._weight(cell["weight"]), self._time(str(cell["time"]).strip())
        user = self._user(str(cell["user"]), (cell["label"] or self.label, cell["split"] or None), number)
        self.users.append(user)
        item = str(cell["item"])
        self.items.append(self.names.setdefault(self.called.get(item, item), len(self.names)))
        self.weights.append(weight)
        self.times.append(time)
        self.numbers.append(number)

    def _weight(self, cell: str | None) -> float:
        if cell is None or cell.strip().lower() in cells.MISSING:
            return math.nan
        if not cells.is_number(cell) or not math.isfinite(float(cell)):
            raise Bad(f"{cell[:40]!r} in the column {self.columns.weight!r} is not a number")
        return float(cell)

    def _time(self, cell: str) -> float:
        """The number, or of a date its place in `dates`; all times are the one or the other, as the first is."""
        number = cells.is_number(cell) and math.isfinite(float(cell))
        if self.dates is None and not self.digits and not number and timestamps.is_date(cell):
            self.dates = []
        if self.dates is not None:
            if not timestamps.is_date(cell):
                raise Bad(f"the time {cell[:40]!r} (column {self.columns.time!r}) is no date as in the rows before")
            self.dates.append(cell)
            return float(len(self.dates) - 1)
        if not number:
            raise Bad(f"the time {cell[:40]!r} (column {self.columns.time!r}) is not a number or a date")
        self.digits.add(len(cell) if cell.isdigit() else 0)
        return float(cell)

    def _user(self, name: str, fixed: tuple[str | None, str | None], number: int) -> int:
        code = self.codes.get(name)
        if code is None:
            code = self.codes[name] = len(self.codes)
            self.fixed.append(fixed)
        elif code != self.current:
            self.grouped = False
        if code < self.given:
            raise BadInput(
                f"{self.file} row {number}: the rows of {name[:40]!r} do not stand together, and the table is too long to be "
                f"sorted in memory ({MOST:,} rows); sort it by {self.columns.user!r}"
            )
        if self.fixed[code] != fixed:
            raise BadInput(
                f"{self.file} row {number}: the label or the split of {name[:40]!r} is {fixed}, and was {self.fixed[code]} "
                "before; all rows of a history have the same"
            )
        self.current = code
        return code

    def unusable(self, number: int, why: str) -> RawItem:
        return RawItem(b"", unusable(f"{self.file} row {number}", why), f"{self.file}#row {number}")

    def flush(self, number: int) -> Iterator[RawItem]:
        """All histories but the last one, which may go on; raises `BadInput` where any of them may."""
        if not self.grouped or self.current == self.given:
            raise BadInput(
                f"{self.file} row {number}: a table of more than {MOST:,} rows is read in parts, and the rows of a history do "
                f"not stand together, or are more than that; sort it by {self.columns.user!r}, or cut it"
            )
        kept = np.frombuffer(self.users, dtype=np.int32) == self.current
        whole = [array(column.typecode, np.asarray(column)[kept].tolist()) for column in (self.users, self.items, self.numbers)]
        real = [array("d", np.asarray(column)[kept].tolist()) for column in (self.times, self.weights)]
        dates = None if self.dates is None else [self.dates[int(at)] for at in real[0]]
        yield from self._given(np.flatnonzero(~kept))
        (self.users, self.items, self.numbers), (self.times, self.weights) = whole, real
        if dates is not None:
            self.dates, self.times = dates, array("d", range(len(dates)))
        self.given = self.current

    def all(self) -> Iterator[RawItem]:
        """What is left."""
        yield from self._given(np.arange(len(self.users)))

    def _given(self, chosen: np.ndarray) -> Iterator[RawItem]:
        times, dated, wrong = self._moments(chosen)
        for at, why in wrong:
            yield self.unusable(self.numbers[int(at)], why)
        chosen = chosen[~np.isnan(times)]
        times = times[~np.isnan(times)]
        users = np.array(self.users, dtype=np.int32)[chosen]
        order = np.lexsort((times, users))  # stable: events of one time stay in the order of the table
        items, weights = np.array(self.items, dtype=np.int32)[chosen], np.array(self.weights)[chosen]
        names, keys = list(self.names), list(self.codes)
        borders = np.flatnonzero(np.diff(users[order])) + 1
        for part in np.split(order, borders) if len(order) else []:
            weight = weights[part] if self.columns.weight else None
            content = history(times[part], [names[at] for at in items[part]], weight, dated)
            yield self._item(keys[users[part[0]]], content, *self.fixed[users[part[0]]])

    def _item(self, key: str, content: events.Events, label: str | None, split: str | None) -> RawItem:
        """The user is its group: a history that has grown stays in its split."""
        name = f"{self.file}#{key}" if self.columns.user else self.file
        return RawItem(events.pack(content), name, name, label, key or None, split)

    def _moments(self, chosen: np.ndarray) -> tuple[np.ndarray, bool, list[tuple[int, str]]]:
        """Times of the chosen rows (NaN where there is none), whether they are dates, and which rows are wrong, and why."""
        values = np.array(self.times)[chosen]
        if self.dates is None:
            return *timestamps.of_numbers(values, next(iter(self.digits)) if len(self.digits) == 1 else 0), []
        dates = [self.dates[int(at)] for at in values]
        wrong: list[tuple[int, str]] = []
        try:
            return *timestamps.moments(dates), wrong
        except Unreadable:
            wrong = [(at, why) for at, why in ((at, _no_moment(text)) for at, text in enumerate(dates)) if why]
        good = np.setdiff1d(np.arange(len(dates)), [at for at, _ in wrong])
        moments = np.full(len(dates), np.nan)
        try:
            moments[good], dated = timestamps.moments([dates[at] for at in good])
        except Unreadable as error:
            raise BadInput(f"{self.file}, column {self.columns.time!r}: {error}") from error
        return moments, dated, [(int(chosen[at]), why) for at, why in wrong]


def _no_moment(text: str) -> str:
    """Why a date alone is none, empty where it is one."""
    try:
        timestamps.moments([text])
    except Unreadable as error:
        return "" if "can be read day first" in str(error) else f"the time {text!r} is no moment: {error}"
    return ""
