"""What is registered, as plain values for the command line and the server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from tasks.registry.bundles import bundle_folder
from tasks.registry.register import aliases_of, deleted, existing, find_version, versions
from tasks.stage.settings import Workspace
from tasks.stage.tracking import client
from tasks.use.provenance import Identity

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


class ModelSummary(BaseModel):
    """One registered model; `aliases` by name, `metrics` of its champion on the test split; `warnings` in words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    modality: str
    versions: int
    aliases: dict[str, int]
    metrics: dict[str, float]
    warnings: tuple[str, ...] = ()


class VersionInfo(BaseModel):
    """One version; `created` in UTC, `metrics` on the test split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    created: str
    aliases: tuple[str, ...]
    family: str
    dataset: str
    data_version: str
    bundle_sha256: str
    run_id: str
    metrics: dict[str, float]


class ModelDetails(BaseModel):
    """One registered model with its versions, the newest first; `warnings` in words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    modality: str
    description: str
    licence: str
    versions: tuple[VersionInfo, ...]
    warnings: tuple[str, ...] = ()


def located(workspace: Workspace, reference: str) -> tuple[Path, Identity]:
    """The bundle's folder of `NAME` (its champion), `NAME@alias` or `NAME/version`, and how the outside knows it."""
    store = client(workspace)
    version = find_version(store, reference)
    tags = version.tags
    identity = Identity(
        model=version.name,
        version=str(version.version),
        dataset=tags["aigc.dataset"],
        data_version=tags["aigc.data_version"],
        bundle_sha256=tags["aigc.bundle_sha256"],
    )
    return bundle_folder(workspace, store, version), identity


def list_models(workspace: Workspace) -> list[ModelSummary]:
    """Every registered model, by name."""
    store = client(workspace)
    summaries = []
    for model in store.search_registered_models(max_results=1000):
        registered = versions(store, model.name)
        aliases = aliases_of(store, model.name)
        champions = [version for version in registered if int(version.version) == aliases.get("champion")]
        modality = model.tags.get("aigc.modality", "")
        metrics = _metrics(champions[0]) if champions else {}
        fields = {"name": model.name, "modality": modality, "versions": len(registered), "aliases": aliases, "metrics": metrics}
        summaries.append(ModelSummary(**fields, warnings=_dangling(model.name, aliases, registered)))
    return sorted(summaries, key=lambda summary: summary.name)


def show_model(workspace: Workspace, reference: str) -> ModelDetails:
    """`NAME`: all its versions; `NAME@alias` or `NAME/version`: that one. Raises `BadInput` if there is none."""
    store = client(workspace)
    single = "@" in reference or "/" in reference.removeprefix("models:/")
    chosen = (
        [find_version(store, reference)] if single else versions(store, existing(store, reference.removeprefix("models:/")))
    )
    name = chosen[0].name if single else reference.removeprefix("models:/")
    model, aliases = store.get_registered_model(name), aliases_of(store, name)
    return ModelDetails(
        name=name,
        modality=model.tags.get("aigc.modality", ""),
        description=model.description or "",
        licence=chosen[0].tags.get("aigc.licence", "") if chosen else "",
        versions=tuple(_info(version, aliases) for version in chosen),
        warnings=_dangling(name, aliases, versions(store, name)),
    )


def _dangling(name: str, aliases: dict[str, int], registered: Sequence[ModelVersion]) -> tuple[str, ...]:
    """A sentence for each alias whose version is gone."""
    left = [int(version.version) for version in registered]
    return tuple(deleted(name, alias, number, left) for alias, number in sorted(aliases.items()) if number not in left)


def _info(version: ModelVersion, aliases: dict[str, int]) -> VersionInfo:
    number = int(version.version)
    return VersionInfo(
        version=number,
        created=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC).isoformat(timespec="seconds"),
        aliases=tuple(sorted(alias for alias, target in aliases.items() if target == number)),
        family=version.tags.get("aigc.family", ""),
        dataset=version.tags.get("aigc.dataset", ""),
        data_version=version.tags.get("aigc.data_version", ""),
        bundle_sha256=version.tags.get("aigc.bundle_sha256", ""),
        run_id=version.run_id or "",
        metrics=_metrics(version),
    )


def _metrics(version: ModelVersion) -> dict[str, float]:
    return dict(json.loads(version.tags.get("aigc.metrics", "{}")))
