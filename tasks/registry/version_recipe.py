"""How one registered version was made, with each member's steps and threads: enough to make it again.

It lies beside the version, in the MLflow run that registered it; `tasks.registry.recipe` is how a name is made next time.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aigc_models.errors import BadInput

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

FILE = "recipe.json"
FORMAT_VERSION = 2  # 1 did not know `alone`


class VersionRecipe(BaseModel):
    """The configuration with everything settled that a budget or a machine had left open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = Field(FORMAT_VERSION, ge=1, description="of this layout")
    config: dict[str, Any] = Field(description="the run's configuration, members with their steps, seeds and threads")
    cores: int = Field(ge=1, description="of the machine that made it: sums are rounded another way with other threads")
    champion: int | None = Field(None, description="the version of the same name whose weights members began with")
    alone: str = Field("", description="the name of the one model that it is made of; empty: it is the ensemble")


def keep(store: MlflowClient, run_id: str, recipe: VersionRecipe) -> None:
    """Put it beside the version that the run registered."""
    store.log_text(run_id, recipe.model_dump_json(indent=1) + "\n", FILE)


def kept(store: MlflowClient, version: ModelVersion) -> VersionRecipe:
    """How a version was made; raises `BadInput` where that was not kept, or by a newer program."""
    name = f"{version.name}/{version.version}"
    run_id = version.run_id or ""
    if not run_id or FILE not in {item.path for item in store.list_artifacts(run_id)}:
        raise BadInput(f"{name} was registered without its recipe, by an older program or by hand; train it again to have one")
    with tempfile.TemporaryDirectory() as folder:
        values = json.loads(Path(store.download_artifacts(run_id, FILE, folder)).read_text())
    stated = values.get("format_version", 1) if isinstance(values, dict) else 1
    if isinstance(stated, int) and stated > FORMAT_VERSION:
        raise BadInput(
            f"the recipe of {name} is of format {stated}, and this program reads up to {FORMAT_VERSION}: "
            "use the version that made it, or newer"
        )
    try:
        return VersionRecipe.model_validate(values)
    except ValidationError as error:
        raise BadInput(f"the recipe of {name} cannot be read: {error.errors()[0]['msg']}") from error
