"""The locks of `data/`: one change of a data set at a time, and DVC must not read a file while it is being replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock

from tasks.stage.settings import Workspace


@contextmanager
def writing(workspace: Workspace) -> Iterator[None]:
    """Hold it while files of `data/` are put in their place, or taken up by DVC. It ends with its process.

    Waits for whoever holds it; one thread that takes it twice gets `RuntimeError`.
    """
    with _locked(workspace, "data"):
        yield


@contextmanager
def growing(workspace: Workspace, dataset: str) -> Iterator[None]:
    """Hold it from a data set's ingestion to its version: who comes second adds to what the first has made.

    Waits, ends with its process, and one thread that takes it twice gets `RuntimeError`; `writing` may be taken inside.
    """
    with _locked(workspace, f"data-{dataset}"):
        yield


@contextmanager
def _locked(workspace: Workspace, name: str) -> Iterator[None]:
    path = workspace.state / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield
