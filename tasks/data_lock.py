"""The lock of `data/`: DVC must not read a file while it is being replaced."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.settings import Workspace


@contextmanager
def writing(workspace: Workspace) -> Iterator[None]:
    """Hold it while files of `data/` are put in their place, or taken up by DVC. It ends with its process.

    Waits for whoever holds it; not to be taken twice by one thread.
    """
    path = workspace.state / "locks" / "data.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
