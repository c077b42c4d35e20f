"""Take items out of a data set, its cache and its remotes."""

from __future__ import annotations

from flows.config import DataConfig
from flows.entry import entry
from flows.flow import flow
from tasks.cleaning import clean
from tasks.data_lock import growing
from tasks.datasets import remembered
from tasks.deduplicate import deduplicate
from tasks.execution import Execution
from tasks.recipe import kept, names
from tasks.references import VersionRef
from tasks.settings import Workspace
from tasks.split import split
from tasks.version import version
from tasks.versions.forget import ForgetSettings, Purged, forget, purge


@flow
@entry
def forgetting(settings: ForgetSettings) -> tuple[VersionRef, Purged]:
    """What `aigc data forget` does: a version without the items, and earlier ones without the tables that hold them."""
    workspace = Execution.current().workspace
    config = data_config(workspace, settings.name)
    with growing(workspace, settings.name):
        cleaned = clean(forget(settings), config.clean)
        duplicates = deduplicate(cleaned, config.deduplicate)
        data = version(split(cleaned, duplicates, config.described_split()))
        return data, purge(workspace, settings.name)


def data_config(workspace: Workspace, name: str) -> DataConfig:
    """How a data set is made: as the last run had it, or as it was added. Raises `BadInput` for an unknown one."""
    recipes = (DataConfig.model_validate(kept(workspace, model)["data"]) for model in names(workspace))
    return next((config for config in recipes if config.source.name == name), None) or DataConfig(
        source=remembered(workspace, name)
    )
