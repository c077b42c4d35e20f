"""An earlier version of a data set as the one to learn from, its source unread."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict, Field

from tasks.stage.references import VersionRef
from tasks.stage.stage import StageContext, stage
from tasks.version.cache import find_version
from tasks.version.checkout import checkout


class RestoreSettings(BaseModel):
    """Which version of which data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="name of the data set")
    version: str = Field(description="a version of it; its first digits are enough")


@stage
def restore(settings: RestoreSettings, context: StageContext) -> VersionRef:
    """Put the version into `data/NAME`. Raises `BadInput` where there is none, or the cache lacks some of it."""
    workspace = context.workspace
    version = checkout(workspace, settings.name, find_version(workspace, settings.name, settings.version).version)
    folder = workspace.data / settings.name
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    counts = card["counts"]
    return VersionRef.to(
        workspace,
        folder,
        dataset=settings.name,
        modality=card["modality"],
        rows=version.rows,
        quarantined=counts["raw"] - counts["kept"],
        duplicates=counts["exact_duplicates"],
        splits=version.splits,
        labels=tuple(card["splits"]["train"]["labels"]),
        version=version.version,
    )
