"""Who is alive: locks on files that the operating system lets go of when their process ends.

Neither MLflow nor Prefect knows whether the process behind a running run still exists. Each command
holds one lock, its id stands in all that it opens, and the next command closes what a dead one left.
"""

from __future__ import annotations

import atexit
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tasks.stage.settings import Workspace

_HELD: dict[Path, tuple[str, FileLock]] = {}


def _locks(workspace: Workspace) -> Path:
    folder = workspace.state / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file(workspace: Workspace, owner_id: str) -> Path:
    return _locks(workspace) / f"run-{owner_id}.lock"


@contextmanager
def locked(workspace: Workspace, name: str) -> Iterator[None]:
    """Only one thread of one process at a time, for each `name`; waits for its turn."""
    with FileLock(_locks(workspace) / f"{name}.lock"):
        yield


def _workspace_id(workspace: Workspace) -> str:
    """A workspace's own name, so that one never judges what another opened on a shared server."""
    path = _locks(workspace) / "workspace.id"
    if not path.exists():
        path.write_text(uuid.uuid4().hex[:8])
    return path.read_text()


def owner(workspace: Workspace) -> str:
    """The id of this process in `workspace`; the first call takes its lock, which it holds until it ends."""
    key = workspace.state.resolve()
    with locked(workspace, "owners"):
        if key in _HELD and _HELD[key][0].split("-")[1] == str(os.getpid()):
            return _HELD[key][0]
        owner_id = f"{_workspace_id(workspace)}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        lock = FileLock(_file(workspace, owner_id), thread_local=False)  # of the process, whichever thread asks
        lock.acquire()
        _HELD[key] = (owner_id, lock)
        atexit.register(_leave, _file(workspace, owner_id), os.getpid())
        return owner_id


def _leave(path: Path, pid: int) -> None:
    if os.getpid() == pid:  # a forked child inherits the parent's exit handlers
        path.unlink(missing_ok=True)


def alive(workspace: Workspace, owner_id: str) -> bool:
    """Whether that process still runs; one of another workspace is not ours to judge and counts as alive."""
    with locked(workspace, "owners"):
        if owner_id.split("-")[0] != _workspace_id(workspace):
            return True
        path = _file(workspace, owner_id)
        return path.exists() and not _free(path)


def _free(path: Path) -> bool:
    try:
        with FileLock(path, blocking=False):
            return True
    except Timeout:
        return False


def left_behind(workspace: Workspace) -> bool:
    """Whether a process is gone that could not clear up after itself: it may have left runs open."""
    with locked(workspace, "owners"):
        return any(_free(path) for path in _locks(workspace).glob("run-*.lock"))


def tidy(workspace: Workspace) -> int:
    """Remove the lock files of processes that are gone; the number of them."""
    with locked(workspace, "owners"):
        dead = [path for path in _locks(workspace).glob("run-*.lock") if _free(path)]
        for path in dead:
            path.unlink()
    return len(dead)
