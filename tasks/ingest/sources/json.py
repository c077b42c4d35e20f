"""A JSON file that holds an array of objects, at the top or somewhere inside; one item an object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from tasks.ingest.readers import nested, rows
from tasks.ingest.source import RawItem, SourceSettings, options

# No `TABLES`: in an archive a .json file is a text, as its suffix says there, and in a folder a table where all are.
LARGEST = 500_000_000  # bytes of a file, which is read as a whole
COUNTED = 200_000  # as far as depth is counted
SHOWN = 20  # paths to arrays that a message lists
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
PARTS = ("records",)


class Options(BaseModel):
    """Where the objects are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    records: str | None = Field(None, description="path to the array of objects, such as data.items; found if there is but one")


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    return path.suffix.lower() == ".json" and path.is_file()


def fingerprint(source: SourceSettings) -> str:
    return rows.digest(source.path)


def modality(source: SourceSettings) -> str:
    table = _rows(source)
    return rows.modality(table, _columns(table), source)


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    table = _rows(source)
    yield from rows.items(table, _columns(table), source, modality)


def table(source: SourceSettings, path: Path) -> tuple[Iterator[rows.Row], list[str]]:
    """The rows and the columns of one of several files, where an object without a list of objects is a row."""
    where = options(source, Options).records
    whole = [nested.row(value) for value in (objects(path) if where is None else _at(parsed(path), where, source))]
    return iter(whole), _columns(whole)


def objects(path: Path) -> list[Any]:
    """The objects of one of several files; raises `BadInput` where it holds none, or several lists of them."""
    whole = parsed(path)
    return [whole] if isinstance(whole, dict) and not dict(_arrays(whole, "")) else _only_array(whole, path.name)


def _columns(table: list[rows.Row]) -> list[str]:
    """The keys of all rows, in the order in which they first come."""
    return list({key: None for row in table for key in row if key != rows.PROBLEM})


def _rows(source: SourceSettings) -> list[rows.Row]:
    where = options(source, Options).records
    whole = parsed(source.path)
    return [
        nested.row(value) for value in (_only_array(whole, source.path.name) if where is None else _at(whole, where, source))
    ]


def _only_array(whole: Any, file: str) -> list[Any]:
    """The array at the top, or the only one of objects inside."""
    if _is_records(whole):
        return list(whole)
    arrays = dict(_arrays(whole, ""))
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    if arrays:
        listed = ", ".join(list(arrays)[:SHOWN])
        raise BadInput(f"{file} holds {len(arrays)} arrays of objects ({listed}); say which with --option records=PATH")
    raise BadInput(f"{file} holds no array of objects; expected is [{{...}}, ...], or one inside an object")


def _arrays(value: Any, before: str) -> Iterator[tuple[str, list[Any]]]:
    """Each array of objects that is inside objects alone, by its path."""
    for key, inner in value.items() if isinstance(value, dict) else ():
        if _is_records(inner):
            yield f"{before}{key}", inner
        elif before.count(".") < nested.DEEPEST:
            yield from _arrays(inner, f"{before}{key}.")


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) for one in value)


def _at(whole: Any, where: str, source: SourceSettings) -> list[Any]:
    value = whole
    for key in where.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if not _is_records(value):
        paths = ", ".join(path for path, _ in _arrays(whole, "")) or (
            "the top: leave records out" if _is_records(whole) else "none"
        )
        raise BadInput(f"{source.path.name} holds no array of objects at {where!r} (option records); there are: {paths}")
    return list(value)


def parsed(path: Path) -> Any:
    """The whole file; raises `BadInput` with the place of what is no JSON."""
    if path.stat().st_size > LARGEST:
        raise BadInput(
            f"{path.name} is larger than {LARGEST / 1e6:,.0f} MB; write one object a line, as .jsonl, which is read in parts"
        )
    raw = path.read_bytes()
    encoding = json.detect_encoding(raw)
    text = raw.decode(encoding, "surrogateescape" if encoding.startswith("utf-8") else "replace").removeprefix("\ufeff")
    try:
        return json.loads(text, parse_int=nested.whole)
    except json.JSONDecodeError as error:
        advice = "; with one object a line its name must end in .jsonl" if error.msg == "Extra data" else ""
        raise BadInput(f"{path.name} line {error.lineno} column {error.colno}: not JSON: {error.msg}{advice}") from error
    except RecursionError as error:
        raise BadInput(f"{path.name}{_deep(text)}: values are too deep inside each other to be read") from error
    except nested.Huge as error:
        place = text.count("\n", 0, text.find(str(error))) + 1
        raise BadInput(
            f"{path.name} line {place}: a number of {len(str(error)):,} digits; the limit is {nested.DIGITS:,}"
        ) from error


def _deep(text: str) -> str:
    """The line in which the depth that was too much is reached."""
    depth = deepest = place = 0
    for mark in _MARKS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark.group(), 0)
        if depth > deepest:
            deepest, place = depth, mark.start()
        if deepest == COUNTED:
            break
    return f" line {text.count(chr(10), 0, place) + 1}, {deepest:,} deep"
