"""With whose eyes versions are compared: an encoder that was trained here, or the modality's plain features."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from aigc_models.errors import BadInput
from tasks.stage.settings import Workspace
from tasks.use.abilities import abilities

if TYPE_CHECKING:
    import numpy as np
    from mlflow.entities.model_registry import ModelVersion

Encoder = Literal["own", "plain", "auto"]
Embed = Callable[[Sequence[Any]], "np.ndarray"]


def find_encoder(workspace: Workspace, name: str, model: str = "") -> tuple[Path, str] | None:
    """The bundle that encodes items of the data set `name`, and what it is in words; None where none was trained.

    The newest body that the stage `pretrain` left for the data set, or else the champion of `model` (a registered name;
    the data set's, if it is empty), where it or a member of it encodes.
    """
    body = _newest_body(workspace, name)
    if body is not None:
        return body, f"pretrained body {json.loads((body / 'bundle.json').read_bytes())['family']}"
    return _champion(workspace, name, model or name)


def _newest_body(workspace: Workspace, name: str) -> Path | None:
    folders = [card.parent for card in workspace.stages.glob("pretrain-*/bundle/bundle.json")]
    suitable = [folder for folder in folders if _encodes(folder, name)]
    return max(suitable, key=lambda folder: ((folder / "bundle.json").stat().st_mtime_ns, str(folder)), default=None)


def _encodes(folder: Path, name: str) -> bool:
    card = json.loads((folder / "bundle.json").read_bytes())
    return card["dataset"] == name and "encodes" in abilities(folder)


def _champion(workspace: Workspace, name: str, model: str) -> tuple[Path, str] | None:
    version = _champion_version(workspace, model)
    if version is None:
        return None
    from tasks.registry.bundles import bundle_folder
    from tasks.stage.tracking import client

    folder = bundle_folder(workspace, client(workspace), version)
    return (folder, f"champion {model} version {version.version}") if _encodes(folder, name) else None


def champion_data(workspace: Workspace, name: str, model: str) -> str:
    """The version of the data set `name` that the champion of `model` was trained on; empty where there is none."""
    version = _champion_version(workspace, model)
    return version.tags.get("aigc.data_version", "") if version and version.tags.get("aigc.dataset") == name else ""


def _champion_version(workspace: Workspace, model: str) -> ModelVersion | None:
    """None too where there is no registry: asking an embedded one would make it."""
    if workspace.tracking_uri == f"sqlite:///{workspace.database}" and not workspace.database.exists():
        return None
    from tasks.registry.register import aliases_of, find_version, model_names
    from tasks.stage.tracking import client

    store = client(workspace)
    has_champion = model in model_names(store) and "champion" in aliases_of(store, model)
    return find_version(store, f"{model}@champion") if has_champion else None


def plain(modality: ModuleType, kind: str) -> Embed:
    """The modality's own features; `BadInput` for a modality that has none."""
    if not hasattr(modality, "embedding"):
        raise BadInput(f"{kind} has no plain features to compare by; `--encoder own` takes an encoder that was trained on it")
    embed: Embed = modality.embedding
    return embed


def trained(folder: Path) -> Embed:
    """Features of the encoder in a bundle, float32 (item, feature)."""
    from aigc_models.generator import Generator

    generator = Generator.load(folder)

    def embed(contents: Sequence[Any]) -> np.ndarray:
        return generator.embed(contents).numpy()

    return embed
