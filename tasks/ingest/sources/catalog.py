"""A public set of the catalogue by its name: `catalog:tinyshakespeare` (the sets: `ingest/readers/catalogue.yaml`).

What the user says of labels and columns goes before what the entry says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from tasks.ingest.readers import catalogue, notices
from tasks.ingest.readers.catalogue import Entry
from tasks.ingest.source import RawItem, SourceSettings, plugin

PREFIX = "catalog:"
READING = ("label", "content", "group", "split", "time")


def accepts(location: str) -> bool:
    return location.startswith(PREFIX)


def licence(source: SourceSettings) -> str:
    """The entry's licence, with what it forbids."""
    entry = _entry(source)
    return f"{entry.licence} ({entry.terms})" if entry.terms else entry.licence


def description(source: SourceSettings) -> str:
    """`catalog:NAME`, what that is and who publishes it."""
    entry = _entry(source)
    return f"{source.location}: {entry.about} ({entry.home})"


def fingerprint(source: SourceSettings) -> str:
    """Of the content and of how the entry says it is read."""
    each = [str(plugin(there).fingerprint(there)) for there in _all(source)]
    reading = [f"{name}={getattr(_entry(source), name)}" for name in ("modality", "options", *READING)]
    reading += [f"split of {file.path}={file.split}" for file in _entry(source).files if file.split]
    return hashlib.sha256("\n".join((*each, *reading)).encode()).hexdigest()


def modality(source: SourceSettings) -> str:
    """The entry's; the content is there and checked after it."""
    _all(source)
    return _entry(source).modality


def through(source: SourceSettings) -> SourceSettings:
    """The settings of the first of its files, or of its folder."""
    return _all(source)[0]


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    files = _entry(source).files
    for at, there in enumerate(_all(source)):
        split = files[at].split if files else None
        for item in plugin(there).read(there, modality):
            yield replace(item, split=item.split or split)


def _all(source: SourceSettings) -> list[SourceSettings]:
    """The settings of each file, or of the folder, as it lies here."""
    entry = _entry(source)
    _say_terms(source.location, licence(source) if entry.terms else "")
    return [_of(source, entry, place) for place in catalogue.places(source.location.removeprefix(PREFIX))]


def _of(source: SourceSettings, entry: Entry, place: Path) -> SourceSettings:
    reading = {name: getattr(source, name) or getattr(entry, name) for name in READING}
    modality = source.modality or entry.modality
    there = {"modality": modality, "location": str(place), "options": entry.options}
    return source.model_copy(update={**reading, **there, "follow_links": True})  # files fetched one by one are linked together


def _entry(source: SourceSettings) -> Entry:
    return catalogue.entry(source.location.removeprefix(PREFIX))


@cache
def _say_terms(location: str, licence: str) -> None:
    """Once a process, before anything is taken in."""
    if licence:
        notices.say(f"{location}: licence {licence}")
