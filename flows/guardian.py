"""Tells the truth about a flow's process that was killed before it could: it stays beside it and waits for its end.

A worker that is told to stop (Ctrl-C, SIGTERM) kills the flows that it runs, and so does a machine without memory.
Then nobody would write down that the runs are over. The guardian is in a process group of its own, reads a pipe
that closes with the flow's process, and closes what that left open. It costs an idle interpreter without imports.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.stage.owner import alive, left_behind
from tasks.stage.settings import Workspace

if TYPE_CHECKING:
    from tasks.stage.execution import Execution

PATIENCE = 10.0  # seconds for the lock of a process to go with its pipe


def guard(execution: Execution) -> subprocess.Popen[bytes]:
    """Start the guardian of this process."""
    log = execution.workspace.state / "guardian.log"
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "flows.guardian", str(execution.workspace.root), execution.owner],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def close(workspace: Workspace) -> None:
    """Close in both tools what dead processes left open."""
    from flows.sweeping import swept
    from tasks.stage.execution import Execution

    execution = Execution(workspace)
    swept(execution, execution.tracker.sweep())


def main() -> None:
    """Wait for the end of the pipe; a process that ended by itself has taken its lock away."""
    workspace, owner = Workspace(Path(sys.argv[1])), sys.argv[2]
    sys.stdin.buffer.read()
    last = time.monotonic() + PATIENCE
    while alive(workspace, owner) and time.monotonic() < last:
        time.sleep(0.1)
    if left_behind(workspace):
        close(workspace)


if __name__ == "__main__":
    main()
