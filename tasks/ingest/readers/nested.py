"""Objects of JSON as rows of a table: a value inside an object is a column whose name is the path to it, with dots."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tasks.ingest.readers.rows import PROBLEM, Row

DEEPEST = 50  # objects inside each other
DIGITS = 4000  # of a whole number; Python refuses to write longer ones
BITS = 13_287  # of a number of as many digits


class Huge(Exception):
    """A whole number, as it is written, that has too many digits."""


def whole(digits: str) -> int:
    """What JSON's `parse_int` is; raises `Huge`."""
    if len(digits) > DIGITS:
        raise Huge(digits)
    return int(digits)


def row(value: Any) -> Row:
    """The columns of an object; a row with `PROBLEM` for what is none, or cannot be laid flat.

    >>> row({"id": 1, "message": {"text": "a", "tags": ["b"]}})
    {'id': 1, 'message.text': 'a', 'message.tags': ['b']}
    """
    if not isinstance(value, dict):
        return {PROBLEM: "not a JSON object"}
    try:
        return _unique(_flat(value, "", 0))
    except (ValueError, RecursionError) as error:
        return {PROBLEM: str(error)}


def _flat(value: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > DEEPEST:
        raise ValueError(f"objects are inside each other more than {DEEPEST} deep")
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{before}{key}.", depth + 1)
        else:
            yield f"{before}{key}", _cell(inner, f"{before}{key}")


def _cell(value: Any, column: str) -> Any:
    """Lists as JSON: they have no place in a table. Those of texts alone may be the lines of one."""
    if isinstance(value, list) and not all(isinstance(each, str) for each in value):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and value.bit_length() > BITS:
        raise ValueError(f"{column} is a number of more than {DIGITS} digits")
    return value


def _unique(cells: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for column, value in cells:
        if column in columns:
            raise ValueError(f"has two values for the column {column!r}; a key holds a dot")
        columns[column] = value
    return columns
