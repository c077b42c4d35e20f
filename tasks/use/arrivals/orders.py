"""What an arrived file asks for: one order a row, or what is wrong with the row.

.txt     a prompt a line (of a model of texts), or else a label a line
.jsonl   an object a line: {"label": "7", "count": 3, "seed": 5}; a plain string is a line as in .txt
.json    such an object, or a list of them
.csv     the past of a series, for a model that forecasts: the file is one order
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from aigc_models.errors import fault

LARGEST = 64 * 2**20  # bytes of a file
SERIES = ".csv"


def _as_text(value: object) -> object:
    """The label of a digit may be written 7; half of a surrogate pair, which JSON can write, is no text."""
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError("has to be valid Unicode")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str | None, BeforeValidator(_as_text)]


class Order(BaseModel):
    """One row of a file: what to generate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Text = Field(None, description="one of the model's labels")
    prompt: Text = Field(None, description="what a text begins with")
    count: int = Field(1, ge=1, le=10_000, strict=True, description="items")
    seed: int | None = Field(None, ge=0, lt=2**53, strict=True, description="none: follows from the file's name and the row")
    sampling: dict[str, float] = Field({}, description="the model's own sampling options, such as temperature (no unit)")


class Problem(BaseModel):
    """Why a row was not answered: `row` counts from 1 (0: the file as a whole), `field` is empty for the row as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    row: int
    field: str
    message: str


Row = tuple[int, BaseModel]  # the number of the row, from 1, and what it asks for or a `Problem`


def orders(payload: bytes, name: str, modality: str) -> list[Row]:
    """The rows of a file called `name`; never raises for what stands in it. A string is a prompt of a text, or else a label."""
    return rows_of(payload, name, Order, "prompt" if modality == "text" else "label", forecasts=modality == "series")


def rows_of(payload: bytes, name: str, kind: type[BaseModel], plain: str, forecasts: bool = False) -> list[Row]:
    """Rows as `kind`, or what is wrong with them; `plain`: the field that a string is, or a line of a text."""
    reader = {"txt": _lines, "jsonl": _json_lines, "json": _whole}.get(name.rpartition(".")[2].lower())
    if reader is None:
        series = " or, for a model that forecasts, .csv" if forecasts else ""
        return [(0, Problem(file=name, row=0, field="", message=f"only .txt, .jsonl and .json{series} are answered"))]
    if len(payload) > LARGEST:
        return [(0, Problem(file=name, row=0, field="", message=f"larger than {LARGEST // 2**20} MiB; divide it"))]
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = payload.count(b"\n", 0, error.start) + 1
        return [(0, Problem(file=name, row=row, field="", message=f"not UTF-8 at byte {error.start}"))]
    rows = [
        (number, value if isinstance(value, Problem) else _valid(value, name, number, kind, plain))
        for number, value in reader(text, name)
    ]
    return rows or [(0, Problem(file=name, row=0, field="", message="it asks for nothing: the file is empty"))]


def _lines(text: str, name: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line


def _json_lines(text: str, name: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, Problem(file=name, row=number, field="", message=f"not JSON: {error}")
            continue
        yield number, value


def _whole(text: str, name: str) -> Iterator[tuple[int, Any]]:
    if not text.strip():
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield 0, Problem(file=name, row=getattr(error, "lineno", 0), field="", message=f"not JSON: {error}")
        return
    yield from enumerate(value if isinstance(value, list) else [value], start=1)


def _valid(value: Any, name: str, row: int, kind: type[BaseModel], plain: str) -> BaseModel:
    """A string is the field `plain`, an object names its fields."""
    if isinstance(value, str):
        value = {plain: value.strip() if plain == "label" else value}
    if not isinstance(value, dict):
        return Problem(file=name, row=row, field="", message=f"a string or an object is needed, not {json.dumps(value)[:60]}")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            return Problem(file=name, row=row, field=field, message=f"unknown; known: {', '.join(kind.model_fields)}")
        return Problem(file=name, row=row, field=field, message=fault(first))
