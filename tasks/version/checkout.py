"""Put an earlier version of a data set back into `data/`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from aigc_models.errors import Damaged
from tasks.dataset.data_lock import growing, writing
from tasks.dataset.ledger import Version, record
from tasks.ingest.ingest import file_errors
from tasks.stage.references import digest_of
from tasks.stage.settings import Workspace, scratch_folder
from tasks.version.cache import find_version, present
from tasks.version.version import DIGITS, Dvc


def checkout(workspace: Workspace, name: str, wanted: str) -> Version:
    """Replace `data/NAME` by the version `wanted` (its first digits are enough), whole or not at all; waits for an addition.

    Raises `BadInput` where there is no such version or the cache lacks some of it, `Damaged` where what the cache
    holds is not that version; then `data/NAME` stays as it is.
    """
    version = find_version(workspace, name, wanted)
    with (
        file_errors(f"the data set {name} in {workspace.data}"),
        growing(workspace, name),  # not between the stages of an addition
        writing(workspace),
        scratch_folder(workspace) as scratch,
    ):
        new, target = scratch / "new", workspace.data / name
        unpack(workspace, version, new)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            os.replace(target, scratch / "old")
        os.replace(new, target)
        restored = version.model_copy(update={"tree": Dvc(workspace).add()})
        record(workspace, restored)
    return restored


def unpack(workspace: Workspace, version: Version, folder: Path) -> None:
    """The files of a version from the cache into a new `folder`. Call it while `writing` is held.

    Raises `BadInput` where the cache lacks some of it, `Damaged` where what it holds is not that version.
    """
    link(present(workspace, version), folder)
    if digest_of([folder], folder)[:DIGITS] != version.version:
        name, place = version.dataset, workspace.data / version.dataset
        message = f"{name} {version.version} is damaged in the cache; {place} was not touched"
        raise Damaged(f"{message}; `aigc data verify {name}` says where, `aigc data pull {name} {version.version}` mends it")


def link(files: Mapping[str, Path], folder: Path) -> None:
    """`files` (name, where it is) into `folder`, as hard links where the file system has them."""
    for name, place in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(place, target)
        except OSError:  # another file system
            shutil.copy2(place, target)
