"""The names of a table's columns: how a message shows them, and those that no table has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from aigc_models.errors import BadInput

SHOWN = 20  # names that a message lists
LONGEST = 40  # characters of a name that it shows
MOST = 200_000  # columns
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def listed(columns: Sequence[str]) -> str:
    """The first names, and how many more there are.

    >>> listed(["id", "text", " "]), listed([])
    ("id, text, ' '", 'none')
    """
    more = f" and {len(columns) - SHOWN:,} more" if len(columns) > SHOWN else ""
    return ", ".join(map(shown, columns[:SHOWN])) + more or "none"


def missing(columns: Sequence[str], column: str, purpose: str, file: str) -> BadInput:
    """There is no such column; the nearest one is offered, whatever the case of its letters.

    >>> str(missing(["Label", "SMS"], "sms", "content", "t.csv"))
    "t.csv has no column 'sms' (for content); did you mean 'SMS'? it has: Label, SMS"
    """
    names = {name.casefold(): name for name in columns}
    near = get_close_matches(column.casefold(), names, n=1)
    hint = f" did you mean {names[near[0]]!r}?" if near else ""
    return BadInput(f"{file} has no column {column!r} (for {purpose});{hint} it has: {listed(columns)}")


def numbered(count: int) -> list[str]:
    """Names for the columns of a table that has none.

    >>> numbered(2)
    ['column1', 'column2']
    """
    return [f"column{number}" for number in range(1, count + 1)]


def shown(name: str) -> str:
    """As it stands if that can be seen and does nothing to a terminal, else quoted; cut where it is long."""
    short = name if len(name) <= LONGEST else f"{name[:LONGEST]}..."
    return short if short.isprintable() and short and short.strip() == short else repr(short)


def check(columns: Sequence[str], file: str) -> None:
    """Raise `BadInput` for names that come of a file that is no table, or of a separator that is none."""
    if len(columns) > MOST:
        raise BadInput(f"{file} has {len(columns):,} columns; the limit is {MOST:,}: is it a table, with the right separator?")
    odd = next((name for name in columns if _CONTROL.search(name)), None)
    if odd is not None:
        raise BadInput(f"{file}: the name of a column holds control characters ({shown(odd)}); is it a table, or damaged?")
