"""What an error means to whoever asked: an exit status and a sentence, for a command and for a flow that nobody typed."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from aigc_models.errors import AigcError, BadInput

DONE, FAILED, BAD_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143
WRITING = {
    errno.ENOSPC: "no space is left",
    errno.EDQUOT: "the quota is used up",
    errno.EACCES: "no permission",
    errno.EROFS: "the file system is read-only",
}
NO_ROOM = ("No space left", "no space left", "disk is full")
SHOWN = 100  # characters of what a library says
LINES, LENGTH = 5, 600  # of a message, and characters of one of its lines
NEEDED, FULL = 64 * 2**20, 4 * 2**20  # bytes
LOCKED = ("database is locked", "database table is locked")
HELD = "another process holds a database in {} (a browser of databases, a backup); `fuser -v FILE` says which, end it"
KEPT = "what was finished is kept; the same command goes on from there"


def explained(error: BaseException) -> tuple[int, str]:
    """The exit status and the message of an error."""
    if isinstance(error, BadInput):
        return BAD_INPUT, f"error: {error}"
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, f"stopped; {KEPT}"
    if type(error).__name__ in {"TerminationSignal", "CancelledRun", "Stopped"}:
        return TERMINATED, f"stopped; {KEPT}"
    if isinstance(error, Exception) and (free_bytes() < FULL or any(words in str(error) for words in NO_ROOM)):
        # a database or a server that cannot write says so in many ways, few of them clear
        message = str(error).partition("\n")[0][:SHOWN]
        return BAD_INPUT, f"error: the disk of {_root()} is full ({message}); make room there or set AIGC_WORKSPACE; {KEPT}"
    if isinstance(error, AigcError):
        return FAILED, f"error: {error}"
    if any(words in str(error) for words in LOCKED):
        return FAILED, f"error: {HELD.format(_root() / '.aigc')}; {KEPT}"
    if isinstance(error, OSError) and error.errno in WRITING:
        where = error.filename or _root()
        hint = "make room or choose another folder with AIGC_WORKSPACE"
        return BAD_INPUT, f"error: {where}: {WRITING[error.errno]}; {hint}"
    first = str(error).partition("\n")[0]
    return FAILED, f"error: {type(error).__name__}: {first}\nthis is a fault of ours or of a library; --debug shows where"


def brief(text: str) -> str:
    """A message as it is shown without `--debug`: five lines at most, none of them endless."""
    lines = [line if len(line) <= LENGTH else f"{line[:LENGTH]}... (--debug shows the rest)" for line in text.split("\n")]
    if len(lines) <= LINES:
        return "\n".join(lines)
    return "\n".join([*lines[: LINES - 1], f"... and {len(lines) - LINES + 1} more lines, which --debug shows"])


def free_bytes() -> int:
    """Room on the disk of the workspace."""
    return shutil.disk_usage(_root()).free


def _root() -> Path:
    from tasks.stage.settings import Workspace

    return Workspace.current().root


def require_room() -> None:
    """Raises `BadInput` before anything is started where the stores alone would not fit."""
    if (free := free_bytes()) < NEEDED:
        raise BadInput(
            f"only {free / 2**20:.0f} MiB are free on the disk of {_root()}; a run takes {NEEDED // 2**20} MiB or more: "
            "make room or set AIGC_WORKSPACE"
        )
