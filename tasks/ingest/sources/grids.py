"""A JSON file of tunes on a grid: each a list of steps, each a list of the MIDI pitches that sound; one item a tune.

The file is a list of tunes, or an object that holds such lists, whose keys `--split key` takes as the split (train, valid,
test). In a step the n-th pitch is voice n; null or a negative number is a rest. Asked before `json`, by the order of names.
"""

from __future__ import annotations

import json as writer
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from tasks.ingest.readers import files, rows
from tasks.ingest.source import RawItem, SourceSettings, options
from tasks.ingest.sources import json

MODALITY = "events"
KEY = "key"
HEAD = 4096  # bytes that tell such a file from another
_GRID = re.compile(rb'\s*(?:\{\s*"[^"]*"\s*:\s*)?\[\s*\[\s*\[\s*(?:-?\d|null|\])')


class Options(BaseModel):
    """What the file does not say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: float = Field(0.25, gt=0, le=64, description="length of a step (quarter notes)")


def accepts(location: str) -> bool:
    if not json.accepts(location):
        return False
    with Path(location).expanduser().open("rb") as file:
        return _GRID.match(file.read(HEAD)) is not None


def fingerprint(source: SourceSettings) -> str:
    return f"{rows.digest(source.path)}-{options(source, Options).step}"


def modality(source: SourceSettings) -> str:
    return MODALITY


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    source.labels.needs(("name",), source.location)
    wrong = next((purpose for purpose, column in source.columns.items() if (purpose, column) != ("split", KEY)), None)
    if modality != MODALITY or wrong:
        what = f"--{wrong} does not fit" if wrong else f"the modality {modality} does not fit"
        raise BadInput(f"{source.location} holds tunes on a grid and no columns, so {what}")
    file, step = source.path.name, options(source, Options).step
    label = source.labels.of_name(file)
    for key, number, tune in _tunes(json.parsed(source.path), file):
        place = f"{file}#{f'{key}/' if key else ''}{number}"
        payload = writer.dumps({"step": step, "steps": tune}, separators=(",", ":")).encode()
        yield RawItem(payload, place, place, label, split=_split(key, source))


def _tunes(whole: Any, file: str) -> Iterator[tuple[str, int, Any]]:
    """The key, the number from 1 and the steps of each."""
    for key, tunes in (whole if isinstance(whole, dict) else {"": whole}).items():
        if not isinstance(tunes, list):
            raise BadInput(f"{file}: {key!r} holds no list of tunes; expected is {{'train': [[[72, 67], ...], ...], ...}}")
        for number, tune in enumerate(tunes, start=1):
            yield key, number, tune


def _split(key: str, source: SourceSettings) -> str | None:
    """What the key says, where the user wants it to."""
    if source.split is None:
        return None
    if key.lower() not in files.SPLITS:
        raise BadInput(f"{source.path.name}: the key {key!r} is none of {', '.join(files.SPLITS)}; leave out --split")
    return files.SPLITS[key.lower()]
