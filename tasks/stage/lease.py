"""One retraining of a name at a time: a lock on a file that the operating system lets go of with its process.

It holds on one machine. Between machines Prefect's concurrency limit of the deployment is the guard.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from filelock import FileLock, Timeout

from tasks.stage.settings import Workspace


@contextmanager
def leased(workspace: Workspace, name: str) -> Iterator[bool]:
    """Whether `name` is free; if so it is ours for the length of the block. Never waits, since who comes second
    has nothing to do: the first looks at the same data.
    """
    folder = workspace.state / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        try:
            stack.enter_context(FileLock(folder / f"retrain-{name}.lock", blocking=False))
            free = True
        except Timeout:
            free = False
        yield free
