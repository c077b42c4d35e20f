"""What a data set must never hold again: `data/NAME/forgotten.parquet`, a part of each later version.

It keeps digests, not names: ids are digests already, of groups and sources the sha256 stands there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aigc_models.errors import BadInput
from tasks.dataset.data_lock import writing
from tasks.dataset.tables import read, write
from tasks.ingest.source import RawItem
from tasks.stage.settings import Workspace, scratch_folder

FILE = "forgotten.parquet"
TYPES = {"kind": "string", "digest": "string"}


@dataclass(frozen=True)
class Forgotten:
    """Ids, and the sha256 of groups and sources, that are never ingested again."""

    ids: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()

    @classmethod
    def of(cls, folder: Path) -> Forgotten:
        """What `data/NAME` says; nothing where nothing was forgotten."""
        if not (folder / FILE).is_file():
            return cls()
        rows = read([folder / FILE], list(TYPES))
        pairs = list(zip(rows["kind"], rows["digest"], strict=True))
        return cls(*(frozenset(digest for kind, digest in pairs if kind == one) for one in ("id", "group", "source")))

    def reasons(self, item: RawItem) -> set[str]:
        """The digests by which an item that arrives is one of these; none where it is not."""
        reasons = {item.id} & self.ids
        if self.sources:
            reasons |= {digest(item.source)} & self.sources
        if self.groups and item.group is not None:
            reasons |= {digest(item.group)} & self.groups
        return reasons

    def covers(self, item: RawItem) -> bool:
        """Whether an item that arrives is one of these."""
        return bool(self.reasons(item))

    def without(self, digests: set[str]) -> Forgotten:
        return Forgotten(self.ids - digests, self.groups - digests, self.sources - digests)

    def and_also(self, ids: Iterable[str], groups: Iterable[str], sources: Iterable[str]) -> Forgotten:
        return Forgotten(self.ids | set(ids), self.groups | set(map(digest, groups)), self.sources | set(map(digest, sources)))

    def keep(self, path: Path) -> None:
        """As a table, the same for the same set."""
        kinds = (("id", self.ids), ("group", self.groups), ("source", self.sources))
        pairs = [(kind, one) for kind, digests in kinds for one in sorted(digests)]
        write(path, TYPES, {"kind": [kind for kind, _ in pairs], "digest": [one for _, one in pairs]})


def purged(workspace: Workspace, name: str) -> dict[str, set[str]]:
    """Version -> md5 of its tables that were removed because they held forgotten items; such a version is gone."""
    file = _record(workspace, name)
    record = json.loads(file.read_text()) if file.is_file() else {}
    return {version: set(md5s) for version, md5s in record.items()}


def note_purged(workspace: Workspace, name: str, tables: dict[str, set[str]]) -> None:
    """Write down what is about to be removed, so that a purge that was killed knows what it was at."""
    file = _record(workspace, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".tmp")
    part.write_text(json.dumps({version: sorted(md5s) for version, md5s in tables.items()}, indent=1))
    part.replace(file)


def note_left_out(workspace: Workspace, name: str, digests: set[str]) -> None:
    """Write down by which digests an ingestion left items out, for `allow`."""
    file = _left_out(workspace, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".tmp")
    part.write_text(json.dumps(sorted(digests)))
    part.replace(file)


def allow(workspace: Workspace, name: str) -> int:
    """Let in again what the last ingestion left out as forgotten; gives how many digests that were.

    Raises `BadInput` where it left out nothing. Versions that were purged stay purged.
    """
    file, folder = _left_out(workspace, name), workspace.data / name
    digests = set(json.loads(file.read_text())) if file.is_file() else set[str]()
    before = Forgotten.of(folder)
    if before.without(digests) == before:
        raise BadInput(f"the last ingestion of {name} left out nothing as forgotten; add first what is to come in again")
    with writing(workspace), scratch_folder(workspace) as scratch:
        before.without(digests).keep(scratch / FILE)
        os.replace(scratch / FILE, folder / FILE)
        (workspace.state / "ingested" / f"{name}.json").unlink(missing_ok=True)  # files that did not change are read again
        file.unlink()
    return len(digests)


def _left_out(workspace: Workspace, name: str) -> Path:
    return workspace.state / "forgotten" / f"{name}-left-out.json"


def _record(workspace: Workspace, name: str) -> Path:
    return workspace.state / "forgotten" / f"{name}.json"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
