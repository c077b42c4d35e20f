"""One at a time makes the output of a stage's key; who comes meanwhile waits and takes what was made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tasks.stage.execution import Execution
from tasks.stage.references import Reference, decode, encode

PAUSE = 0.1  # seconds of waiting after which it asks whether it is to end
LOCK, RESULT = "making.tmp", "made.tmp"  # in the stage's folder; no digest counts them


def made_once(folder: Path, execution: Execution, make: Callable[[], Any]) -> tuple[Any, bool]:
    """What `make` gives, and whether another thread or process made it while this one waited.

    The lock ends with its process; then the next one makes it. What another made is taken only where it is intact.
    Raises `Stopped` where the command is told to end while it waits.
    """
    with _acquired(folder, execution) as waited:
        if waited and (made := _made(folder / RESULT, execution)) is not None:
            return made, True
        (folder / RESULT).unlink(missing_ok=True)  # of an earlier run
        result = make()
        (folder / RESULT).write_text(json.dumps(encode(result)), encoding="utf-8")
        return result, False


@contextmanager
def _acquired(folder: Path, execution: Execution) -> Iterator[bool]:
    """Hold the lock; whether somebody else had it first."""
    lock, waited = FileLock(folder / LOCK), False
    while not lock.is_locked:
        try:
            lock.acquire(timeout=PAUSE if waited else 0)
        except Timeout:
            if not waited:
                execution.observer.message(f"{folder.name}: another command makes it; waiting for that")
            waited = True
            execution.raise_if_stopped()
    try:
        yield waited
    finally:
        lock.release()


def _made(path: Path, execution: Execution) -> Any:
    try:
        made = decode(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):  # it failed, or was killed
        return None
    return made if not isinstance(made, Reference) or made.intact(execution.workspace) else None
