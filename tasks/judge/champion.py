"""The champion of a registered name, as something to measure a challenger against and to start it from."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.judge.gates import Champion
from tasks.judge.kept_evaluation import kept_opponent
from tasks.stage.references import CorpusRef, ModelRef, Reference, digest_of
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext, stage

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

TAG = "aigc.test_items"


class ChampionRef(Reference):
    """The bundle of a registered version with those of its members; `known` says which items its data held."""

    model: str
    version: int
    modality: str
    labels: tuple[str, ...]
    format: dict[str, Any]
    task: str = "generate"
    known: str = ""
    members: tuple[ModelRef, ...] = ()

    def member(self, name: str) -> ModelRef | None:
        """The one with this name, to start from."""
        return next((member for member in self.members if member.name == name), None)

    def misfit(self, data: CorpusRef) -> str:
        """Why the champion cannot be measured on these data; empty where it can."""
        if data.modality != self.modality:
            return f"version {self.version} makes {self.modality}, the data are {data.modality}"
        if data.labels != self.labels:
            new, gone = sorted(set(data.labels) - set(self.labels)), sorted(set(self.labels) - set(data.labels))
            changes = [f"{word} {', '.join(names)}" for word, names in (("new:", new), ("gone:", gone)) if names]
            return f"the labels are others than those of version {self.version} ({'; '.join(changes) or 'in another order'})"
        differing = sorted(key for key in self.format if _plain(data.format.get(key)) != _plain(self.format[key]))
        if differing:
            return f"the format is another than that of version {self.version} ({', '.join(differing)})"
        return ""


def _plain(value: object) -> object:
    return json.loads(json.dumps(value))


@stage(cached=False)
def find_champion(model: str, context: StageContext) -> ChampionRef | None:
    """The champion of `model`, its bundle on this machine and within the workspace; none where there is none yet."""
    champion = standing_champion(context.workspace, model)
    if champion:
        context.log(champion=champion.version)
    return champion


def standing_champion(workspace: Workspace, model: str) -> ChampionRef | None:
    """What `find_champion` finds; raises `BadInput` where the alias names a version that is gone."""
    from tasks.registry.register import aliases_of, find_version, model_names
    from tasks.stage.tracking import client

    store = client(workspace)
    if model not in model_names(store) or "champion" not in aliases_of(store, model):
        return None
    return _fetched(workspace, store, find_version(store, f"{model}@champion"))


def version_as_champion(workspace: Workspace, model: str, version: int) -> ChampionRef:
    """Any version in the champion's place; raises `BadInput` where it is gone."""
    from tasks.registry.register import find_version
    from tasks.stage.tracking import client

    store = client(workspace)
    return _fetched(workspace, store, find_version(store, f"{model}/{version}"))


def made_of(workspace: Workspace, champion: ChampionRef, candidates: Sequence[ModelRef]) -> bool:
    """Whether a champion is one of these models alone: of the same data, settings and code."""
    card = json.loads((champion.path(workspace) / "bundle.json").read_text())
    members, parents = card.get("members", []), card.get("parents", {})
    return len(members) == 1 and any(parents.get(one.name) == one.sha256 for one in candidates if one.name in members)


def opponent(workspace: Workspace, model: str, bundle: Path) -> ChampionRef | None:
    """Whom a bundle is to be measured beside: the champion, or, where it is that itself, the one that it was measured
    beside to become it (none where it was the first, or where that one is gone)."""
    from tasks.registry.register import versions
    from tasks.stage.tracking import client

    champion = standing_champion(workspace, model)
    if champion is None:
        return None
    store = client(workspace)
    registered = {int(version.version): version for version in versions(store, model)}
    same = registered[champion.version]
    if same.tags.get("aigc.bundle_sha256") != digest_of([bundle], bundle):
        return champion
    before = registered.get(kept_opponent(store, same.run_id or "") or 0)
    return _fetched(workspace, store, before) if before else None


def _fetched(workspace: Workspace, store: MlflowClient, version: ModelVersion) -> ChampionRef:
    from tasks.registry.bundles import bundle_folder

    folder = bundle_folder(workspace, store, version)
    return reference(workspace, within(workspace, folder, version), version)


def within(workspace: Workspace, folder: Path, version: ModelVersion) -> Path:
    """The bundle, or a copy of it in `.aigc/models` where a store outside of the workspace holds it."""
    if folder.resolve().is_relative_to(workspace.root):
        return folder
    from tasks.registry.bundles import is_registered

    target = workspace.state / "models" / version.tags["aigc.bundle_sha256"]
    if not is_registered(target, target.name):
        part = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        shutil.copytree(folder, part)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
    return target


def reference(workspace: Workspace, folder: Path, version: ModelVersion) -> ChampionRef:
    card = json.loads((folder / "bundle.json").read_text())
    members = [_member(workspace, folder / "members" / name) for name in card.get("members", [])]
    return ChampionRef.to(
        workspace,
        folder,
        model=version.name,
        version=int(version.version),
        modality=card["modality"],
        labels=card["labels"],
        format=card["format"],
        task=card.get("task", "generate"),
        known=version.tags.get(TAG, ""),
        members=members,
    )


def _member(workspace: Workspace, folder: Path) -> ModelRef:
    card = json.loads((folder / "bundle.json").read_text())
    fields = {"name": card["name"], "family": card["family"], "modality": card["modality"], "params": card["params"]}
    return ModelRef.to(workspace, folder, **fields)


def measured_version(evaluation: Path) -> int | None:
    """The number of the version that an evaluation met as champion; None where it met none."""
    path = evaluation / "champion.json"
    return int(json.loads(path.read_text())["version"]) if path.is_file() else None


def measured(evaluation: Path, number: int, registered: Mapping[str, float]) -> Champion:
    """Champion `number` as an evaluation met it; one that met another or none leaves the figures it was registered with."""
    if measured_version(evaluation) != number:
        return Champion(version=number, registered=dict(registered))
    met = json.loads((evaluation / "champion.json").read_text())
    again = evaluation / "metrics_known.json"
    return Champion(
        version=number,
        registered=dict(registered),
        items=met["items"],
        shared_metrics=json.loads(again.read_text()) if again.is_file() else {},
        shared_items=met["known"],
        misfit=met["misfit"],
        anchor=met.get("anchor", 0),
    )


def paired(evaluation: Path) -> dict[str, dict[str, float | None]]:
    """The figures of a challenger beside the champion's: by metric, with the difference and its 95 % interval."""
    metrics = json.loads((evaluation / "metrics.json").read_text())
    rows = {}
    for name, figures in metrics.items():
        difference = figures.get("versus", {}).get("champion", {})
        beside = {"difference": difference.get("value"), "low": difference.get("low"), "high": difference.get("high")}
        rows[name] = {"value": figures["value"], "champion": figures.get("champion"), **beside}
    return rows


def items_of(ids: Mapping[str, Sequence[str]]) -> str:
    """A short text by which a later version finds these items among its own: `{split: [number, digest]}`."""
    return json.dumps({name: [len(split_ids), _digest(split_ids)] for name, split_ids in sorted(ids.items())})


def shared_counts(record: str, ids: Mapping[str, Sequence[str]]) -> dict[str, int] | None:
    """How many items of each split stood there already when `items_of` gave `record`; None where they cannot be told.

    Items never move and new ones come after the old, so they are the first ones, as long as the rules are the same.
    """
    earlier = json.loads(record or "{}")
    if not earlier or set(earlier) != set(ids):
        return None
    same = all(_digest(ids[name][:count]) == digest for name, (count, digest) in earlier.items())
    return {name: int(count) for name, (count, _) in earlier.items()} if same else None


def _digest(ids: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
