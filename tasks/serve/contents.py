"""Content in a request: texts as they are, series as csv or points, files of other modalities as base64."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aigc_models.errors import BadInput, Unreadable
from tasks.serve.asking import Past, Points

if TYPE_CHECKING:
    from aigc_models.generator import Generator


def contents(generator: Generator, inputs: Sequence[str]) -> list[Any]:
    """The inputs as the model's modality reads them; raises `BadInput` naming the one that it cannot read."""
    textual = generator.modality.suffix in (".txt", ".csv")
    return [
        _read(generator, text.encode() if textual else _file(text, f"input[{at}]"), f"input[{at}]")
        for at, text in enumerate(inputs)
    ]


def pasts(generator: Generator, given: Sequence[Past] | None) -> list[Any] | None:
    """Series to go on from; `None`: the newest of the training data."""
    if given is None:
        return None
    if not generator.goes_on:
        raise BadInput(f"past: {generator.card.name} makes {generator.card.modality}, which has none")
    return [_past(generator, one, f"past[{at}]") for at, one in enumerate(given)]


def _past(generator: Generator, given: Past, name: str) -> Any:
    content = _read(generator, given.encode() if isinstance(given, str) else _csv(given), name)
    try:
        generator.encode_pasts([content])
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from error
    return content


def _read(generator: Generator, payload: bytes, name: str) -> Any:
    modality = generator.modality
    try:
        content = modality.read(payload, name)
        if reason := modality.validate(content):
            raise Unreadable(reason)
        return modality.normalise(content)
    except Unreadable as error:
        raise BadInput(f"{name}: {error}") from error


def _file(text: str, name: str) -> bytes:
    """The bytes behind base64, with or without `data:...;base64,` before it."""
    try:
        return base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"{name}: no base64 of a file: {error}") from error


def _csv(points: Points) -> bytes:
    """What a user's file with these points would hold."""
    columns: dict[str, Sequence[object]] = {**({} if points.times is None else {"time": points.times}), **points.values}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items()) or "no channel"
        raise BadInput(f"past: all channels and the times must be of one length; here: {listed}")
    buffer = io.StringIO()
    lines = csv.writer(buffer, lineterminator="\n")
    lines.writerow(columns)
    lines.writerows(["" if cell is None else cell for cell in row] for row in zip(*columns.values(), strict=True))
    return buffer.getvalue().encode()
