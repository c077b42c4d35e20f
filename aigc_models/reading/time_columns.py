"""Which column of a table holds the time, and times that a spreadsheet wrote as numbers of days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from aigc_models.reading import timestamps
from aigc_models.reading.cells import is_number

_DAYS = {"date", "datetime", "date_time", "datum", "day", "ds", "when", "timestamp"}  # names of a column of dates
_COUNTERS = {"", "unnamed: 0", "rownames", "row.names"}  # of rows
_NAMES = (
    _DAYS | {"time", "t", "index", "step", "year", "period", "unix", "epoch", "month", "week", "hour", "minute"} | _COUNTERS
)
_SERIAL = (20_000, 80_000)  # days since 1899-12-30, as Excel counts: 1954 to 2119
_YEARS = (1500, 2300)
_LONGEST = 40  # characters of a written time


def time_column(columns: Mapping[str, Sequence[str]]) -> str | None:
    """The column that holds the time, from some of its cells: the first of dates, or of rising numbers that are called or
    look like times.

    A few cells may be wrong: what reads them says which.
    """
    filled = {name: [cell for cell in cells if cell.strip()] for name, cells in columns.items()}
    for name, cells in filled.items():
        if cells and sum(map(timestamps.is_date, cells)) >= timestamps.MOST * len(cells):
            return name
    rising = {name: cells for name, cells in filled.items() if _rises(cells)}
    for name in sorted(rising, key=is_counter):  # a number of the row is a time only where nothing else is
        if is_called_time(name):
            return name
    first = next(iter(columns), None)
    return next((name for name, cells in rising.items() if _since_1970(cells) or (name == first and _years(cells))), None)


def is_counter(name: str) -> bool:
    """Whether a column is called as programs call the numbers of rows that they write in front of a table."""
    return name.strip().lower() in _COUNTERS


def is_called_time(name: str) -> bool:
    """Whether a column has a name that columns of times have."""
    return name.strip().lower() in _NAMES


def doubtful(cells: Sequence[str]) -> bool:
    """Whether cells look like times in a way of writing that is not known: short, of digits above all, hardly ever alike."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    alike = sum(len(cell) <= _LONGEST and _digits(cell) >= 0.5 and not is_number(cell) for cell in filled)
    return len(filled) > 2 and alike >= timestamps.MOST * len(filled) and len(set(filled)) >= timestamps.MOST * len(filled)


def is_serial(name: str, cells: Sequence[str]) -> bool:
    """Whether a column that is called a date holds Excel's days, such as 44927 for 2023-01-01."""
    filled = [cell for cell in cells if cell.strip()]
    within = all(is_number(cell) and _SERIAL[0] <= float(cell) <= _SERIAL[1] for cell in filled)
    return name.strip().lower() in _DAYS and len(filled) > 1 and within


def of_serial(cell: str) -> str:
    """A day of Excel as ISO 8601, to the millisecond; what is no number as it stands.

    >>> of_serial("44927"), of_serial("44927.5")
    ('2023-01-01T00:00:00', '2023-01-01T12:00:00')
    """
    if not is_number(cell):
        return cell
    moment = datetime(1899, 12, 30) + timedelta(milliseconds=round(float(cell) * 86_400_000))
    return moment.isoformat()


def _rises(cells: Sequence[str]) -> bool:
    return len(cells) > 1 and all(map(is_number, cells)) and all(float(left) < float(right) for left, right in pairwise(cells))


def _since_1970(cells: Sequence[str]) -> bool:
    """Whether all are whole numbers of one length that are seconds, or thousandths and so on, since 1970."""
    whole = all(cell.strip().isdigit() for cell in cells) and len({len(cell.strip()) for cell in cells}) == 1
    return whole and any(low <= float(cells[0]) and float(cells[-1]) <= high for low, high in timestamps.EPOCHS.values())


def _years(cells: Sequence[str]) -> bool:
    """Whether they are years alone, evenly apart."""
    if not all(len(cell.strip()) == 4 and cell.strip().isdigit() for cell in cells):
        return False
    apart = {int(right) - int(left) for left, right in pairwise(cells)}
    return len(apart) == 1 and _YEARS[0] <= int(cells[0]) and int(cells[-1]) <= _YEARS[1]


def _digits(cell: str) -> float:
    """The share of digits among its letters and digits."""
    counted = [character.isdigit() for character in cell if character.isalnum()]
    return sum(counted) / len(counted) if counted else 0.0
