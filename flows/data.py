"""From a source to a version of a data set."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from aigc_models.errors import BadInput
from flows.config import DataConfig
from flows.entry import entry
from flows.flow import flow
from flows.making import completed
from tasks.clean.clean import clean
from tasks.dataset.data_lock import growing, writing
from tasks.dataset.datasets import as_before, remember, settled
from tasks.dataset.refused import clear
from tasks.deduplicate.deduplicate import deduplicate
from tasks.ingest.ingest import ingest
from tasks.split.split import split
from tasks.stage.execution import Execution
from tasks.stage.references import VersionRef
from tasks.stage.settings import Workspace
from tasks.version.restore import RestoreSettings, restore
from tasks.version.version import version


@flow
def prepare(config: DataConfig) -> VersionRef:
    """Ingest, clean, find duplicates, split, and give the result to DVC; how is remembered under the data set's name."""
    execution = Execution.current()
    if config.version:
        return restore(RestoreSettings(name=config.source.name, version=config.version))
    with nullcontext() if execution.planning else new_or_grown(execution.workspace, config.source.name):
        if not execution.planning:
            clear(execution.workspace, config.source.name)
        raw = ingest(config.source)
        cleaned = clean(raw, config.clean)
        duplicates = deduplicate(cleaned, config.deduplicate)
        data = version(split(cleaned, duplicates, config.described_split()))
        if not execution.planning:
            remember(execution.workspace, config)
        return data


@flow
@entry
def ingestion(config: DataConfig) -> VersionRef:
    """What `aigc data add` does: a version of the data set. What is not said of how it is made stays as it was."""
    workspace = Execution.current().workspace
    return prepare(completed(workspace, config, as_before(workspace, settled(config.source))))


@contextmanager
def new_or_grown(workspace: Workspace, name: str) -> Iterator[None]:
    """Hold the data set while it grows. One that was not there before and cannot be used leaves nothing behind."""
    with growing(workspace, name):
        folder = workspace.data / name
        new = not folder.exists()  # looked at by who holds it: another command may have made the set meanwhile
        try:
            yield
        except BadInput:
            if new:
                with writing(workspace):
                    shutil.rmtree(folder, ignore_errors=True)
            raise
