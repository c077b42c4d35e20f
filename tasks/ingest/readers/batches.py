"""Batches of Arrow as rows of a table; parquet and Arrow files give them.

A value inside a struct is a column whose name is the path to it, with dots. Numbers that stand for the names of classes, as
Hugging Face's tables say it in their schema, come as these names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aigc_models.errors import BadInput
from tasks.ingest.readers.rows import PROBLEM, ClassName, Row

if TYPE_CHECKING:
    import pyarrow

ROWS = 1000  # turned into Python's values at once, at most
BYTES = 16_000_000  # of these
FEW = 8  # rows of which it is seen how large rows are
HUB = b"huggingface"  # the key of the schema's metadata
MEDIA = {"bytes", "path"}  # the fields of a picture or a sound, which is one value


def rows(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[Row]:
    """Each row as a dict; batches are checked first, since an offset of a damaged one may lead anywhere."""
    at_once = FEW
    for batch in batches:
        batch.validate(full=True)
        classes = class_names(batch.schema)
        plain = not classes and columns(batch.schema) == list(batch.schema.names)
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, at_once).to_pylist()
            yield from part if plain else (_laid_out(row, batch.schema, classes) for row in part)
            start += len(part)
            at_once = max(1, min(ROWS, 2 * at_once, BYTES * len(part) // (1 + sum(map(_size, part)))))


def _size(row: Row) -> int:
    """About how many bytes its texts take, also those in an object, as of a picture."""
    lengths = (_size(value) if isinstance(value, dict) else len(value) for value in row.values() if hasattr(value, "__len__"))
    return sum(lengths)


def columns(schema: pyarrow.Schema) -> list[str]:
    """The names of all columns, structs laid out."""
    return [name for field in schema for name in _names(field, "")]


def features(schema: pyarrow.Schema) -> dict[str, Any]:
    """What Hugging Face's libraries note of each column; empty for a table that they did not write."""
    try:
        features = json.loads((schema.metadata or {}).get(HUB, b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return {name: kind for name, kind in features.items() if isinstance(kind, dict)} if isinstance(features, dict) else {}


def class_names(schema: pyarrow.Schema) -> dict[str, list[str]]:
    """The names of the classes of each column that holds their numbers."""
    kinds = features(schema).items()
    return {name: kind["names"] for name, kind in kinds if kind.get("_type") == "ClassLabel" and _listed(kind.get("names"))}


def _listed(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def _names(field: pyarrow.Field, before: str) -> Iterator[str]:
    if not _is_struct(field.type):
        yield f"{before}{field.name}"
        return
    for inner in field.type:
        yield from _names(inner, f"{before}{field.name}.")


def _is_struct(kind: pyarrow.DataType) -> bool:
    from pyarrow import types

    return types.is_struct(kind) and not {field.name for field in kind} <= MEDIA


def _laid_out(row: Mapping[str, Any], schema: pyarrow.Schema, classes: Mapping[str, list[str]]) -> Row:
    cells: dict[str, Any] = {}
    for name, value in row.items():
        if _is_struct(schema.field(name).type):
            cells.update(_inside(value or {}, schema.field(name).type, f"{name}."))
        elif name in classes and value is not None and value != -1:  # Hugging Face's mark of no label
            if not 0 <= value < len(classes[name]):
                return {PROBLEM: f"has the class {value} in {name!r}, which has {len(classes[name])} names"}
            cells[name] = ClassName(classes[name][value])
        else:
            cells[name] = None if name in classes else value
    return cells


def _inside(value: Mapping[str, Any], kind: pyarrow.DataType, before: str) -> Iterator[tuple[str, Any]]:
    for field in kind:
        if _is_struct(field.type):
            yield from _inside(value.get(field.name) or {}, field.type, f"{before}{field.name}.")
        else:
            yield f"{before}{field.name}", value.get(field.name)


@contextmanager
def reading(file: str, kind: str) -> Iterator[None]:
    """Raise `BadInput` that names the file for what Arrow cannot read."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        reason = str(error).strip().split("\n")[0].split(". ")[0].rstrip(".")
        raise BadInput(f"{file} is not {kind}, or a damaged one: {reason}") from error
    except OverflowError as error:
        raise BadInput(f"{file} holds a date that is in no calendar: {error}; mend or leave out its column") from error
