"""The versions that a workspace has seen: `.aigc/versions.jsonl`, one line each, oldest first."""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict, Field

from tasks.stage.settings import Workspace


class Version(BaseModel):
    """A line of the ledger: `tree` is DVC's own digest of all of `data/` at that time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(description="name of the data set")
    version: str = Field(description="digest over the files of data/NAME")
    rows: int = Field(description="items in all splits")
    splits: dict[str, int] = Field(description="items in each split")
    tree: str = Field(description="md5 of the listing in DVC's cache")


def ledger(workspace: Workspace, dataset: str) -> list[Version]:
    """The versions of a data set that this workspace has seen, oldest first."""
    path = workspace.state / "versions.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [found for found in map(Version.model_validate_json, lines) if found.dataset == dataset]


def record(workspace: Workspace, version: Version) -> None:
    """Add a line to the ledger, unless it says what the data set's last one says."""
    if ledger(workspace, version.dataset)[-1:] != [version]:
        with (workspace.state / "versions.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(version.model_dump(), sort_keys=True) + "\n")
