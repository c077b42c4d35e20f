"""Which items a source no longer holds, and which it holds again.

A data set may come from several places. `.aigc/ingested/NAME/*.npy` has, for each, the items that ever came from there and
whether they were there when it was read last: an item leaves the data set when its last place no longer has it. What is
known of places is local, since data hold no path of a machine.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.dataset.ids import KEYS, Ids, keys_of, within
from tasks.dataset.tables import batches, shards
from tasks.dataset.withdrawn import ROWS, withdrawn
from tasks.ingest.source import SourceSettings, plugin
from tasks.stage.settings import Workspace

RECORD = np.dtype([("key", KEYS), ("held", "?")])


@dataclass(frozen=True)
class Reading:
    """What an ingestion saw: the items that it read, the files that it left out since they did not change, and what it
    could not read. `files` are those of the last time where nothing else is known of the place."""

    seen: Ids
    unchanged: Collection[str]
    unread: Collection[str]
    files: Collection[str] = ()

    def stands(self, source: str) -> bool:
        """Whether an item from there that was not read is still there, as far as anyone can tell."""
        return in_files(source, self.unchanged) or any(
            source == one or source.startswith(one if one.endswith("/") or not one else f"{one}#") for one in self.unread
        )


@dataclass(frozen=True)
class Departures:
    """`withdrawn`: the ids of all items of the data set that no place holds; `left`: how many of them are new there."""

    withdrawn: frozenset[str]
    left: int
    held: int  # items that the source has
    record: np.ndarray  # RECORD (item,)
    unnoted: bool = False  # nothing says where the items that were there before come from, as in a fresh clone

    def note(self, workspace: Workspace, source: SourceSettings) -> None:
        """Write down what came from this place; before anything is published, so that a kill forgets no item."""
        file = _file(workspace, source)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".tmp")
        with part.open("wb") as handle:
            np.save(handle, self.record, allow_pickle=False)
        part.replace(file)


def departures(workspace: Workspace, source: SourceSettings, reading: Reading, keep: bool) -> Departures:
    """From what was there before, which stands in the raw shards, and what was read; with `keep` nothing leaves."""
    folder, seen = workspace.data / source.name / "raw", reading.seen.keys()
    record, gone = _record(_file(workspace, source)), withdrawn(folder)
    elsewhere = _held_elsewhere(workspace, source)
    held, left = [seen], set[str]()
    for part in batches(shards(folder), ["id", "source"], ROWS):
        keys = keys_of(part["id"])
        came, had = _before(record, keys, part["source"], reading.files)
        came &= ~within(keys, seen)
        standing = _standing(came & had, part["source"], reading)
        held.append(keys[standing])
        away = np.zeros_like(came) if keep else came & ~standing & ~within(keys, elsewhere)
        left |= {part["id"][at] for at in np.flatnonzero(away)}
    now = np.unique(np.concatenate(held))
    returned = {key for key, there in zip(gone, within(keys_of(gone), now), strict=True) if there}
    unnoted = record is None and not reading.files and not len(elsewhere) and bool(shards(folder))
    merged = _merged(np.empty(0, dtype=KEYS) if record is None else record["key"], now, keep)
    return Departures((gone - returned) | left, len(left - gone), len(now), merged, unnoted)


def _before(
    record: np.ndarray | None, keys: np.ndarray, sources: Sequence[str], files: Collection[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Which items ever came from this place, and which it held the last time, bool (item,) each."""
    if record is None:
        listed = np.fromiter((in_files(source, files) for source in sources), dtype=bool, count=len(sources))
        return listed, listed.copy()
    return within(keys, record["key"]), within(keys, record["key"][record["held"]])


def _standing(asked: np.ndarray, sources: Sequence[str], reading: Reading) -> np.ndarray:
    """Which of the items that are asked for are still there without having been read, bool (item,)."""
    standing = np.zeros_like(asked)
    places = np.flatnonzero(asked).tolist()
    standing[places] = [reading.stands(sources[at]) for at in places]
    return standing


def keeps(source: SourceSettings) -> bool:
    """Whether what the source no longer holds stays in the data set."""
    return bool(getattr(plugin(source), "KEEPS", False)) if source.keep is None else source.keep


def place_of(source: SourceSettings, root: Path) -> str:
    """What tells a source from others of a data set: its location, below `root` relative to it, and the part of what is
    there that its options choose."""
    module, location = plugin(source), source.location
    if hasattr(module, "origin"):
        location = module.origin(source)
    elif ":" not in location or source.path.exists():
        location = str(source.path.resolve()).removeprefix(f"{root.resolve()}{os.sep}")
    chosen = {name: value for name, value in sorted(source.options.items()) if name in getattr(module, "PARTS", ())}
    return "\0".join([location, *(f"{name}={value}" for name, value in chosen.items())])


def in_files(source: str, files: Collection[str]) -> bool:
    """Whether an item comes from one of these files: as a whole, or as a row or a piece of it."""
    return source in files or source.rpartition("#")[0] in files


def _merged(ever: np.ndarray, now: np.ndarray, keep: bool) -> np.ndarray:
    keys = np.union1d(ever, now)
    record = np.empty(len(keys), dtype=RECORD)
    record["key"], record["held"] = keys, True if keep else within(keys, now)
    return record


def _held_elsewhere(workspace: Workspace, source: SourceSettings) -> np.ndarray:
    this = _file(workspace, source)
    others = [_record(file) for file in sorted(this.parent.glob("*.npy")) if file != this]
    keys = [record["key"][record["held"]] for record in others if record is not None]
    return np.unique(np.concatenate([np.empty(0, dtype=KEYS), *keys]))


def _record(file: Path) -> np.ndarray | None:
    """None where there is none that can be read."""
    try:
        record: np.ndarray = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return record if record.dtype == RECORD else None


def _file(workspace: Workspace, source: SourceSettings) -> Path:
    place = place_of(source, workspace.root)
    name = hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return workspace.state / "ingested" / source.name / f"{name}.npy"
