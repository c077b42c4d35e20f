"""One file behind a URL (http, https, s3, gs, file, ... : what fsspec knows), fetched once and then read as a local file is.

    aigc data add phrases https://example.org/phrases.csv --option sha256=DIGEST

A location is remembered, so a secret in a query is written as `?token=${NAME}` and taken from the environment when it is
asked for; user and password of a host are taken from ~/.netrc. Each `aigc data add` asks whether the file changed and
downloads it only then. Its items are named after the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tasks.ingest.readers import fetched
from tasks.ingest.source import RawItem, SourceSettings, options, plugin


class Options(BaseModel):
    """What a file from elsewhere has to be. Further options are those of the kind of file that it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="the file's sha256; any other content is refused")
    limit: int = Field(fetched.LIMIT, gt=0, description="most bytes of the file")


def accepts(location: str) -> bool:
    return "://" in location


def description(source: SourceSettings) -> str:
    """The URL without its query and user, where secrets stand."""
    return fetched.shown(source.location)


def fingerprint(source: SourceSettings) -> str:
    """Of the file as it is there now: this is what asks whether it changed."""
    choices = options(source, Options)
    there = _at(source, fetched.current(source.location, choices.sha256, choices.limit))
    return str(plugin(there).fingerprint(there))


def through(source: SourceSettings) -> SourceSettings:
    """The same with the local copy in place of the URL."""
    choices = options(source, Options)
    return _at(source, fetched.local(source.location, choices.sha256, choices.limit))


def modality(source: SourceSettings) -> str:
    there = through(source)
    return str(plugin(there).modality(there))


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    there = through(source)
    yield from plugin(there).read(there, modality)


def _at(source: SourceSettings, path: Path) -> SourceSettings:
    further = {key: value for key, value in source.options.items() if key not in Options.model_fields}
    return source.model_copy(update={"location": str(path), "options": further})
