"""One at a time makes the output of a stage's key; who comes meanwhile waits and takes what was made."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.stage.execution import Execution
from tasks.stage.references import Reference, decode, encode

PAUSE = 0.1  # seconds between two looks at the lock
LOCK, RESULT = "making.tmp", "made.tmp"  # in the stage's folder; no digest counts them


def made_once(folder: Path, execution: Execution, make: Callable[[], Any]) -> tuple[Any, bool]:
    """What `make` gives, and whether another thread or process made it while this one waited.

    The lock ends with its process; then the next one makes it. What another made is taken only where it is intact.
    Raises `Stopped` where the command is told to end while it waits.
    """
    with (folder / LOCK).open("a") as lock:
        waited = False
        while not _taken(lock):
            if not waited:
                execution.observer.message(f"{folder.name}: another command makes it; waiting for that")
            waited = True
            execution.raise_if_stopped()
            time.sleep(PAUSE)
        if waited and (made := _made(folder / RESULT, execution)) is not None:
            return made, True
        (folder / RESULT).unlink(missing_ok=True)  # of an earlier run
        result = make()
        (folder / RESULT).write_text(json.dumps(encode(result)), encoding="utf-8")
        return result, False


def _taken(lock: Any) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _made(path: Path, execution: Execution) -> Any:
    try:
        made = decode(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):  # it failed, or was killed
        return None
    return made if not isinstance(made, Reference) or made.intact(execution.workspace) else None
