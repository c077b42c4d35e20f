"""Take items out of a data set, its cache and its remotes."""

from __future__ import annotations

from flows.config import DataConfig
from flows.entry import entry
from flows.flow import flow
from tasks.clean.clean import clean
from tasks.dataset.data_lock import growing
from tasks.dataset.datasets import remembered
from tasks.deduplicate.deduplicate import deduplicate
from tasks.split.split import split
from tasks.stage.execution import Execution
from tasks.stage.references import VersionRef
from tasks.version.forget import ForgetSettings, Purged, forget, purge
from tasks.version.version import version


@flow
@entry
def forgetting(settings: ForgetSettings) -> tuple[VersionRef, Purged]:
    """What `aigc data forget` does: a version without the items, and earlier ones without the tables that hold them."""
    workspace = Execution.current().workspace
    config = DataConfig.model_validate(remembered(workspace, settings.name))
    with growing(workspace, settings.name):
        cleaned = clean(forget(settings), config.clean)
        duplicates = deduplicate(cleaned, config.deduplicate)
        data = version(split(cleaned, duplicates, config.described_split()))
        return data, purge(workspace, settings.name)
