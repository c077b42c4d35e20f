"""Which files of a source were ingested already: one that is as it was then is not read again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.dataset.tables import shards
from tasks.ingest.readers.digests import SETTLED
from tasks.ingest.source import SourceSettings
from tasks.stage.settings import Workspace, write_whole

State = tuple[int, int, int]  # bytes, and when content and entry last changed (ns)
UNSETTLED: State = (-1, 0, 0)  # of a file that may change again with the same times: it is read again


class Ingested(BaseModel):
    """What the last ingestion of a data set saw."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: SourceSettings
    code: str = Field(description="digest of the code that read it")
    shards: tuple[str, ...] = Field(description="the raw shards then; each name holds the digest of its content")
    files: dict[str, State]


def unchanged(workspace: Workspace, source: SourceSettings, code: str, files: Mapping[str, State]) -> frozenset[str]:
    """Those of the source's `files` whose items are in the raw shards already.

    None where the settings of the source or the code that reads it changed, or where shards were taken away since (an earlier
    version was put back, items were forgotten).
    """
    last = _last(workspace, source)
    if not last or (last.source, last.code) != (source, code) or not {*last.shards} <= {*_shards(workspace, source.name)}:
        return frozenset()
    return frozenset(name for name, state in files.items() if last.files.get(name) == state)


def last_files(workspace: Workspace, source: SourceSettings) -> frozenset[str]:
    """The files that the last ingestion saw, where it was of the same place."""
    last = _last(workspace, source)
    return frozenset(last.files if last and last.source.location == source.location else ())


def _last(workspace: Workspace, source: SourceSettings) -> Ingested | None:
    try:
        return Ingested.model_validate_json(_file(workspace, source.name).read_bytes())
    except (OSError, ValidationError):
        return None


def remember_ingested(workspace: Workspace, source: SourceSettings, code: str, files: Mapping[str, State]) -> None:
    """Note what was read; `files` as they were before, so that a change meanwhile is seen the next time."""
    if not files:
        return
    limit = time.time_ns() - SETTLED
    states = {name: state if max(state[1:]) < limit else UNSETTLED for name, state in files.items() if _is_text(name)}
    seen = Ingested(source=source, code=code, shards=_shards(workspace, source.name), files=states)
    write_whole(_file(workspace, source.name), seen.model_dump_json())


def _is_text(name: str) -> bool:
    """Whether JSON can hold a name: one that is no UTF-8 is read each time."""
    return name.encode("utf-8", "ignore").decode() == name


def _file(workspace: Workspace, name: str) -> Path:
    return workspace.state / "ingested" / f"{name}.json"


def _shards(workspace: Workspace, name: str) -> tuple[str, ...]:
    return tuple(shard.name for shard in shards(workspace.data / name / "raw"))
