"""A bundle becomes a version of a registered model; `resolve` finds it again by name."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aigc_models.errors import BadInput, unknown
from aigc_models.heads import GENERATE
from aigc_models.reading.bundle_files import CARD, check, sha256
from tasks.judge.kept_evaluation import keep_evaluation
from tasks.registry import version_recipe
from tasks.registry.signing import TAG, signature_of
from tasks.registry.version_recipe import VersionRecipe
from tasks.stage.addresses import without_secrets
from tasks.stage.names import check_name
from tasks.stage.origin import PROJECT, package
from tasks.stage.owner import locked
from tasks.stage.references import EnsembleRef, EvaluationRef, RegisteredRef, digest_of
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext, stage
from tasks.stage.tracking import client

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models import ModelSignature

PACKAGES = (
    *("mlflow", "numpy", "pandas", "torch", "safetensors", "pydantic", "pillow", "scipy", "scikit-learn", "jaxtyping"),
    *("tokenizers", "llguidance"),
)
_REFERENCE = re.compile(r"(?:models:/)?(?P<model>\w[^@/:]*)(?:@(?P<alias>[^@/]+)|/(?P<version>[^@/]+))?")


class RegisterSettings(BaseModel):
    """Under which name, and with which words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field("", description="registered name; empty: the name of the data set")
    description: str = Field("", description="what the model is for, in words")

    @field_validator("model")
    @classmethod
    def _check_model(cls, model: str) -> str:
        return check_name("a model", model, there=lambda: _stands(model)) if model else model


def _stands(model: str) -> bool:
    """Whether a model of this name was registered before there was the rule of today."""
    workspace = Workspace.current()
    return workspace.holds_models() and model in model_names(client(workspace))


def store_identity(**arguments: object) -> str:
    """Which registry a cached registration stands in: another server, or a database made anew, has none of it;
    another password opens the same."""
    database = Workspace.current().state / "mlflow.db"
    embedded = f"embedded {database.stat().st_ino}" if database.exists() else "embedded"
    server = os.environ.get("MLFLOW_REGISTRY_URI") or os.environ.get("MLFLOW_TRACKING_URI")
    return without_secrets(server) if server else embedded


@stage(fingerprint=store_identity)
def register(
    ensemble: EnsembleRef,
    evaluation: EvaluationRef,
    settings: RegisterSettings,
    context: StageContext,
    recipe: VersionRecipe | None = None,
) -> RegisteredRef:
    """Log the bundle into the stage's MLflow run and register it as `challenger`; the same bundle only once.

    `recipe`: how it was made, so that it can be made again.
    """
    bundle = ensemble.path(context.workspace)
    check(bundle)
    card = json.loads((bundle / "bundle.json").read_text())
    name = settings.model or card["dataset"]
    store, sha256 = client(context.workspace), digest_of([bundle], bundle)
    tags = _tags(card, evaluation, bundle, sha256)
    with locked(context.workspace, "registry"):
        version = _registered(store, name, tags) or _create(store, name, bundle, tags, settings, context)
        keep_evaluation(store, version.run_id or "", evaluation.path(context.workspace))
        if recipe is not None:
            version_recipe.keep(store, version.run_id or "", recipe)
        if aliases_of(store, name).get("champion") != int(version.version):
            store.set_registered_model_alias(name, "challenger", str(version.version))
    return RegisteredRef(model=name, version=int(version.version), run_id=version.run_id or "", bundle_sha256=sha256)


def _tags(card: dict[str, Any], evaluation: EvaluationRef, bundle: Path, sha256: str) -> dict[str, str]:
    signed = signature_of(bundle, {})
    return {
        **({TAG: signed} if signed else {}),
        "aigc.bundle": f"artifacts/{bundle.name}",  # where it lies in the MLflow model
        "aigc.bundle_sha256": sha256,
        "aigc.dataset": card["dataset"],
        "aigc.data_version": card["version"],
        "aigc.modality": card["modality"],
        "aigc.task": card.get("task", GENERATE),
        "aigc.family": card["family"],
        "aigc.licence": card.get("licence", ""),
        "aigc.metrics": json.dumps(evaluation.metrics, sort_keys=True),
        "aigc.test_items": evaluation.items,  # by which a later version's evaluation finds these among its own
    }


def _registered(store: MlflowClient, name: str, tags: dict[str, str]) -> ModelVersion | None:
    """The version that holds this bundle already, if any; it takes over the figures of the newer evaluation."""
    same = [
        version for version in versions(store, name) if version.tags.get("aigc.bundle_sha256") == tags["aigc.bundle_sha256"]
    ]
    if not same:
        return None
    if same[0].tags.get("aigc.metrics") != tags["aigc.metrics"]:
        store.set_model_version_tag(name, str(same[0].version), "aigc.metrics", tags["aigc.metrics"])
    return same[0]


def _create(
    store: MlflowClient, name: str, bundle: Path, tags: dict[str, str], settings: RegisterSettings, context: StageContext
) -> ModelVersion:
    if name not in model_names(store):
        store.create_registered_model(name, {"aigc.modality": tags["aigc.modality"]}, settings.description or None)
    model_id, location = _log_model(store, name, bundle, tags, context.run_id)
    version = store.create_model_version(
        name, location, context.run_id, tags, description=settings.description or None, model_id=model_id
    )
    link = [{"name": name, "version": int(version.version)}]
    store.set_logged_model_tags(model_id, {"mlflow.modelVersions": json.dumps(link)})  # the way back, for MLflow's page
    return version


def _log_model(store: MlflowClient, name: str, bundle: Path, tags: dict[str, str], run_id: str) -> tuple[str, str]:
    """What `mlflow.models.Model.log` does, by run id alone: that one reads and sets global state."""
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    experiment_id = store.get_run(run_id).info.experiment_id
    logged = store.create_logged_model(experiment_id, name, run_id, tags, model_type="generator")
    store.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        _save(path, bundle, Model(artifact_path=logged.artifact_location, run_id=run_id, model_id=logged.model_id))
        store.log_model_artifacts(logged.model_id, str(path))
    store.finalize_logged_model(logged.model_id, "READY")
    return logged.model_id, logged.artifact_location


def _save(path: Path, bundle: Path, model: Any) -> None:
    """A pyfunc whose code is a file, not a pickle; its requirements are named, since inferring them costs seconds."""
    import mlflow.pyfunc

    card = json.loads((bundle / "bundle.json").read_text())
    mlflow.pyfunc.save_model(
        path,
        python_model=str(Path(__file__).with_name("pyfunc_model.py")),
        artifacts={"bundle": str(bundle)},
        model_config={"card_sha256": sha256(bundle / CARD)},  # what it is held against where no registry is asked
        code_paths=[str(PROJECT / "aigc_models")],
        mlflow_model=model,
        signature=_signature(card),
        input_example=_example(card),
        pip_requirements=[f"{name}=={package(name)}" for name in (*PACKAGES, *(("httpx",) if card.get("outside") else ()))],
    )
    for cache in path.rglob("__pycache__"):
        shutil.rmtree(cache)


def _signature(card: Mapping[str, Any]) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    if card.get("task", GENERATE) != GENERATE:
        return ModelSignature(Schema([ColSpec("string", "input")]), Schema([ColSpec("string")]))

    optional = [ColSpec("string", name, required=False) for name in ("label", "prompt")]
    return ModelSignature(Schema([*optional, ColSpec("long", "seed")]), Schema([ColSpec("string")]))


def _example(card: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    labels: Sequence[str] = card["labels"]
    if card.get("task", GENERATE) != GENERATE:
        return pd.DataFrame({"input": ["a text, or a file in base64"]})
    return pd.DataFrame({**({"label": [labels[0]]} if labels else {}), "seed": [0]})


def model_names(store: MlflowClient) -> list[str]:
    """All registered models."""
    return [model.name for model in store.search_registered_models(max_results=1000)]


def versions(store: MlflowClient, name: str) -> list[ModelVersion]:
    """All versions of a model, the newest first; none where there is no such model."""
    matches = store.search_model_versions(f"name = '{name}'", max_results=1000)
    return sorted(matches, key=lambda version: -int(version.version))


def existing(store: MlflowClient, name: str) -> str:
    """`name`, if it is registered; otherwise raises `BadInput` with the nearest."""
    names = model_names(store)
    if name not in names:
        raise unknown("model", name, names)
    return name


def aliases_of(store: MlflowClient, name: str) -> dict[str, int]:
    """Alias -> version of a registered model."""
    return {alias: int(version) for alias, version in store.get_registered_model(name).aliases.items()}


def find_version(store: MlflowClient, reference: str) -> ModelVersion:
    """The version that `NAME`, `NAME@alias` or `NAME/version` means (`NAME` alone: its champion).

    Raises `BadInput` that names what there is instead.
    """
    match = _REFERENCE.fullmatch(reference)
    if not match:
        raise BadInput(f"{reference!r} is no model; write NAME, NAME@alias or NAME/version")
    name, alias, number = match.group("model", "alias", "version")
    existing(store, name)
    return _by_number(store, name, number) if number else _by_alias(store, name, alias or "champion", explicit=bool(alias))


def _by_number(store: MlflowClient, name: str, number: str) -> ModelVersion:
    by_number = {str(version.version): version for version in versions(store, name)}
    if number not in by_number:
        raise BadInput(f"{name} has no version {number!r}; there are: {', '.join(by_number) or 'none'}")
    return by_number[number]


def _by_alias(store: MlflowClient, name: str, alias: str, explicit: bool) -> ModelVersion:
    aliases, numbered = aliases_of(store, name), {int(version.version): version for version in versions(store, name)}
    if alias in aliases:
        if (number := aliases[alias]) in numbered:
            return numbered[number]
        raise BadInput(deleted(name, alias, number, numbered))
    if explicit and alias != "champion":
        raise unknown(f"alias of {name}", alias, aliases)
    listed = ", ".join(f"{name}/{number}" for number in numbered) or "no version"
    named = ", ".join(f"{name}@{key}" for key in sorted(aliases))
    wanted = ", ".join(filter(None, [named, listed]))
    raise BadInput(f"{name} has no champion (none was promoted yet, or its version was deleted); name what you want: {wanted}")


def deleted(name: str, alias: str, number: int, left: Iterable[int]) -> str:
    """That an alias names a version which is gone, and what can be done, in a sentence."""
    there = ", ".join(map(str, left))
    way = f"`aigc models promote {name} VERSION` makes one champion; there are: {there}" if there else "none is left: train one"
    return f"{name}@{alias} is version {number}, which was deleted in MLflow; {way}"
