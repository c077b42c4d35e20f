"""A version's own files to read, whatever other commands do with `data/NAME` meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.dataset.data_lock import writing
from tasks.stage.settings import Workspace, scratch_folder
from tasks.version.cache import find_version
from tasks.version.checkout import unpack


@contextmanager
def reading(workspace: Workspace, name: str, version: str) -> Iterator[Path]:
    """A folder like `data/NAME` with the files of `version` from DVC's cache, for the length of the block.

    They are hard links where the file system has them: no copy is made, and a checkout, an addition or a `forget`
    changes none of them. Raises `BadInput` where the cache lacks some, `Damaged` where it holds something else.
    """
    with scratch_folder(workspace) as scratch:
        with writing(workspace):  # nothing is purged from the cache meanwhile
            unpack(workspace, find_version(workspace, name, version), scratch / name)
        yield scratch / name
