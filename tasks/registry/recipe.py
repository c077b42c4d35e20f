"""The recipe of a registered name: the configuration of the last run or training that made a version of it.

Kept in `.aigc/recipes/NAME.json` as the fields that differ from their defaults, and, where MLflow is shared, as a
tag of the registered model, so that another machine can train it too.
"""

from __future__ import annotations

import json
import os
from typing import Any

from pydantic import BaseModel

from aigc_models.errors import BadInput, unknown
from tasks.stage.settings import Workspace, write_whole

TAG = "aigc.recipe"
LONGEST = 5000  # characters that a registry keeps of a tag


def shared() -> bool:
    """Whether the registry is one that other machines see too."""
    return bool(os.environ.get("MLFLOW_REGISTRY_URI") or os.environ.get("MLFLOW_TRACKING_URI"))


def plain(recipe: BaseModel) -> dict[str, Any]:
    """What of a configuration differs from the defaults, as JSON has it."""
    return recipe.model_dump(mode="json", exclude_defaults=True)


def keep(workspace: Workspace, name: str, recipe: BaseModel) -> None:
    """Remember how `name` is made."""
    text = json.dumps(plain(recipe), indent=1, sort_keys=True) + "\n"
    write_whole(workspace.state / "recipes" / f"{name}.json", text)


def share(workspace: Workspace, name: str, recipe: BaseModel) -> None:
    """Write it into a shared registry, where the name stands by now."""
    text = json.dumps(plain(recipe), sort_keys=True)
    if shared() and len(text) <= LONGEST:
        from tasks.stage.tracking import client

        client(workspace).set_registered_model_tag(name, TAG, text)


def kept(workspace: Workspace, name: str) -> dict[str, Any]:
    """How `name` was made last; raises `BadInput` naming the nearest name that has a recipe."""
    file = workspace.state / "recipes" / f"{name}.json"
    if "/" not in name and file.is_file():
        recipe: dict[str, Any] = json.loads(file.read_text())
        return recipe
    if (shared_recipe := _of_registry(workspace, name)) is not None:
        return shared_recipe
    available = names(workspace)
    if not available:
        raise BadInput(f"unknown model {name!r}: nothing was trained here yet; `aigc run --data {name}` makes a first version")
    raise unknown("model", name, available)


def names(workspace: Workspace) -> list[str]:
    """The registered names that have a recipe here, in alphabetical order."""
    return sorted(path.stem for path in (workspace.state / "recipes").glob("*.json"))


def _of_registry(workspace: Workspace, name: str) -> dict[str, Any] | None:
    if not shared():
        return None
    from tasks.registry.register import model_names
    from tasks.stage.tracking import client

    store = client(workspace)
    if name not in model_names(store):
        return None
    text = store.get_registered_model(name).tags.get(TAG)
    return json.loads(text) if text else None
