"""Content in a request: texts as they are, series as csv or points, files of other modalities as base64."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from aigc_models.errors import BadInput, Unreadable
from tasks.serve.asking import Past, Points

if TYPE_CHECKING:
    from aigc_models.generator import Generator
    from tasks.serve.worker import Worker


async def contents(worker: Worker, inputs: Sequence[str], most: int) -> list[Any]:
    """The inputs as the model's modality reads them; raises `BadInput` naming the one that it cannot read."""
    return await _each(worker, _content, inputs, "input", most)


async def pasts(worker: Worker, given: Sequence[Past] | None, most: int) -> list[Any] | None:
    """Series to go on from; `None`: the newest of the training data."""
    if given is None:
        return None
    if not worker.generator.goes_on:
        raise BadInput(f"past: {worker.identity.model} makes {worker.generator.card.modality}, which has none")
    return await _each(worker, _past, given, "past", most)


async def _each(worker: Worker, read: Callable[..., Any], given: Sequence[Any], field: str, most: int) -> list[Any]:
    """One after the other, others being answered between; a small file may hold a large content, all together `most` bytes."""
    listed, size = list[Any](), 0
    for at, one in enumerate(given):
        content, decoded = await worker.ask(read, one, f"{field}[{at}]")
        listed.append(content)
        size += decoded
        if size > most:
            raise BadInput(
                f"{field}[{at}]: with it the contents are {size / 1e6:,.0f} MB, and at most {most / 1e6:,g} are read"
            )
    return listed


def _bytes(content: Any) -> int:
    """Of an array, or of the values of a sound or a series; of other contents there are no more than came in."""
    return int(getattr(getattr(content, "values", content), "nbytes", 0))


def _content(generator: Generator, text: str, name: str) -> tuple[Any, int]:
    textual = generator.modality.suffix in (".txt", ".csv")
    return _read(generator, text.encode() if textual else _file(text, name), name)


def _past(generator: Generator, given: Past, name: str) -> tuple[Any, int]:
    content, decoded = _read(generator, given.encode() if isinstance(given, str) else _csv(given), name)
    try:
        generator.encode_pasts([content])
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from error
    return content, decoded


def _read(generator: Generator, payload: bytes, name: str) -> tuple[Any, int]:
    """The content, and the bytes that it took before it was brought to a form that models take."""
    modality = generator.modality
    try:
        content = modality.read(payload, name)
        if reason := modality.validate(content):
            raise Unreadable(reason)
        return modality.normalise(content), _bytes(content)
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
