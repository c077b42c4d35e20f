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
from tasks.references import VersionRef
from tasks.split import split
from tasks.version import version
from tasks.versions.forget import ForgetSettings, Purged, forget, purge


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
