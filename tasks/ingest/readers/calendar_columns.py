"""Tables whose columns divide a time: a year in each row with its months side by side, or year, month and day apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from aigc_models.reading.timestamps import MONTHS
from tasks.ingest.readers import headers

TIME, VALUE = "time", "value"
SAMPLE = 20  # rows whose parts must be whole numbers within their bounds
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A part of a time: how a column of it may be called, and its bounds."""

    names: tuple[str, ...]
    low: int
    high: int


YEAR = Part(("year", "yr", "jahr"), 1500, 2300)
QUARTER = Part(("quarter", "qtr", "quartal"), 1, 4)
FINER = (  # each needs those before it
    Part(("month", "mon", "mo", "monat"), 1, 12),
    Part(("day", "dy", "tag"), 1, 31),
    Part(("hour", "hr", "stunde"), 0, 23),
)


@dataclass(frozen=True)
class Joined:
    """A table with one column of the time; `note` says what was joined and how to say otherwise, empty if nothing was."""

    rows: Iterator[Row]
    columns: list[str]
    note: str = ""


def joined(table: Iterable[Row], columns: Sequence[str], named: Collection[str]) -> Joined:
    """The table with `time` in the place of the columns that divide it, unless the user named one of these."""
    rest = iter(table)
    head = list(islice(rest, SAMPLE))
    rows = chain(head, rest)
    parts = _parts(columns, head)
    if len(parts) > 1 and TIME not in columns and not set(parts) & set(named):
        others = [name for name in columns if name not in parts]
        note = f"the time is taken from {headers.listed(parts)} together; say otherwise with --time"
        return Joined(({TIME: _written(row, parts), **_without(row, parts)} for row in rows), [TIME, *others], note)
    months = [name for name in columns if name.strip().lower()[:3] in MONTHS]
    if parts and not named and [name.strip().lower()[:3] for name in months] == list(MONTHS):
        others = [name for name in columns if name not in (*parts, *months)]
        left_out = f"; left out: {headers.listed(others)}" if others else ""
        note = f"{headers.shown(months[0])} to {headers.shown(months[-1])} are read as the months of one series{left_out}"
        note += f"; for a channel each, name them with --content {','.join(months)}"
        return Joined(_unstacked(rows, parts[0], months), [TIME, VALUE], note)
    return Joined(rows, list(columns))


def _parts(columns: Sequence[str], head: Sequence[Row]) -> list[str]:
    """The columns that divide a time, from the longest part on: none, a year, or a year with what is finer."""

    def column(part: Part) -> str | None:
        named = [name for name in columns if name.strip().lower() in part.names and _fits(head, name, part)]
        return named[0] if len(named) == 1 else None

    year, quarter = column(YEAR), column(QUARTER)
    if year is None:
        return []
    if quarter and not column(FINER[0]):
        return [year, quarter]
    parts = [year]
    for part in FINER:
        name = column(part)
        if name is None:
            break
        parts.append(name)
    return parts


def _fits(head: Sequence[Row], name: str, part: Part) -> bool:
    """Whether all cells are whole numbers within the bounds."""
    numbers = [_number(row.get(name)) for row in head]
    return bool(numbers) and all(number.isdigit() and part.low <= int(number) <= part.high for number in numbers)


def _number(cell: Any) -> str:
    """A cell as it is, without `.0`."""
    return str(cell).strip().removesuffix(".0")


def _without(row: Row, parts: Sequence[str]) -> dict[str, Any]:
    return {name: cell for name, cell in row.items() if name not in parts}


def _written(row: Row, parts: Sequence[str]) -> str:
    """As ISO 8601; what is no time as it stands, for a message."""
    numbers = [_number(row.get(name)) for name in parts]
    if not all(map(str.isdigit, numbers)):
        return " ".join(numbers)
    year, *finer = map(int, numbers)
    if parts[1].strip().lower() in QUARTER.names:
        return f"{year}-{3 * finer[0] - 2:02}"
    day = "-".join([f"{year:04}", *(f"{number:02}" for number in finer[:2])])
    return f"{day}T{finer[2]:02}:00" if len(finer) == len(FINER) else day


def _unstacked(table: Iterable[Row], year: str, months: Sequence[str]) -> Iterator[Row]:
    """A row a month, such as 1950-01; what is missing after the last one stands empty."""
    for row in table:
        for number, name in enumerate(months, start=1):
            yield {TIME: f"{_number(row.get(year))}-{number:02}", VALUE: row.get(name)}
