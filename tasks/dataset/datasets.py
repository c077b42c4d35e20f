"""The data sets of a workspace: what `aigc data` shows, and where each came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from aigc_models.errors import BadInput, unknown
from tasks.dataset.ledger import ledger
from tasks.ingest.source import SourceSettings, modality, plugin
from tasks.stage.settings import Workspace, write_whole


def names(workspace: Workspace) -> list[str]:
    """The data sets that were split, in alphabetical order."""
    return sorted(path.parent.name for path in workspace.data.glob("*/card.json"))


def summary(workspace: Workspace, name: str) -> dict[str, Any]:
    """The data card with the current version, and how it was made where that is not the usual way.

    Raises `BadInput` naming the nearest data set.
    """
    if name not in names(workspace):
        raise unknown("data set", name, names(workspace))
    card: dict[str, Any] = json.loads((workspace.data / name / "card.json").read_text(encoding="utf-8"))
    versions = ledger(workspace, name)
    version = versions[-1].version if versions else ""
    return {**card, "version": version, "versions": len(versions), "made": standing(workspace, name)}


def as_before(workspace: Workspace, source: SourceSettings) -> SourceSettings:
    """A settled source that keeps what is gone, or does not, as the last time, unless that is said now."""
    if source.keep is not None or not _file(workspace, source.name).is_file():
        return source
    last = remembered(workspace, source.name)["source"]
    return source.model_copy(update={"keep": last.get("keep")}) if last.get("location") == source.location else source


def settled(source: SourceSettings) -> SourceSettings:
    """The same with its modality found out and its path such that it holds from every folder."""
    place, place_of = source.location, getattr(plugin(source), "place", None)
    if place_of:
        place = place_of(source)
    elif ":" not in place or Path(place).exists():
        place = str(source.path.resolve())
    source = source.model_copy(update={"location": place})
    return source.model_copy(update={"modality": modality(source)})


def _file(workspace: Workspace, name: str) -> Path:
    return workspace.state / "datasets" / f"{name}.json"


def remember(workspace: Workspace, made: BaseModel) -> None:
    """Keep where a data set comes from and how it is made. This is local: data hold no path of a machine.

    `made`: the settings of the data flow, its `source` among them; those that differ from the defaults are kept.
    """
    values = made.model_dump(mode="json", exclude_defaults=True)
    source = settled(SourceSettings.model_validate(values["source"]))
    kept = {**values, "source": source.model_dump(mode="json", exclude_defaults=True)}
    write_whole(_file(workspace, source.name), json.dumps(kept, indent=1))


def remembered(workspace: Workspace, name: str) -> dict[str, Any]:
    """Where a data set comes from (`source`) and how it was made last; raises `BadInput` naming the nearest one, or how
    to add it."""
    file = _file(workspace, name)
    if not file.is_file():
        existing = sorted(path.stem for path in file.parent.glob("*.json"))
        if not existing:
            raise BadInput(f"unknown data set {name!r}: there is none yet; `aigc data add {name} SOURCE` makes it")
        raise unknown("data set", name, existing)
    values: dict[str, Any] = json.loads(file.read_text())
    return values if "source" in values else {"source": values}  # as it was kept before it held how it is made


def standing(workspace: Workspace, name: str) -> dict[str, Any]:
    """How a data set was made last, its source aside; nothing for one that is new."""
    made = remembered(workspace, name) if _file(workspace, name).is_file() else {}
    return {key: value for key, value in made.items() if key != "source"}
