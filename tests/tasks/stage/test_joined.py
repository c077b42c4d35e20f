"""Two processes that make the output of one key."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tasks.stage.execution import Execution, Stopped
from tasks.stage.joined import made_once
from tasks.stage.references import Reference
from tasks.stage.settings import Workspace

MAKE = """
import os, sys, time
from pathlib import Path
from tasks.stage.execution import Execution
from tasks.stage.joined import made_once
from tasks.stage.references import Reference
from tasks.stage.settings import Workspace

folder, workspace = Path(sys.argv[1]), Workspace(Path(sys.argv[1]).parent)

def make():
    print("making", flush=True)
    if sys.stdin.readline() == "die\\n":
        os._exit(1)
    (folder / "made.txt").write_text(str(os.getpid()))
    return Reference.to(workspace, folder / "made.txt")

print(*made_once(folder, Execution(workspace), make), flush=True)
"""


def start(folder: Path) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", MAKE, str(folder)], stdin=pipe, stdout=pipe, text=True)


@pytest.mark.parametrize("ending", ["go", "die"])
def test_who_comes_second_takes_what_the_first_made_or_makes_it_where_that_one_died(tmp_path: Path, ending: str) -> None:
    folder, messages = tmp_path / "key", []
    folder.mkdir()
    execution = Execution(Workspace(tmp_path.resolve()))
    first = start(folder)
    assert first.stdout is not None
    assert first.stdout.readline() == "making\n"

    def wait(text: str) -> None:
        messages.append(text)
        first.communicate(f"{ending}\n", timeout=60)  # it goes on only now that this process waits

    execution.observer.message = wait  # type: ignore[method-assign]

    def make() -> Reference:
        (folder / "made.txt").write_text("here")
        return Reference.to(execution.workspace, folder / "made.txt")

    made, joined = made_once(folder, execution, make)
    assert len(messages) == 1
    assert joined == (ending == "go")
    assert (folder / "made.txt").read_text() == (str(first.pid) if joined else "here")
    assert made.intact(execution.workspace)
    assert not made_once(folder, execution, make)[1]  # alone again: what an earlier run made is not taken for this one's


def test_a_command_that_waits_can_be_stopped(tmp_path: Path) -> None:
    execution = Execution(Workspace(tmp_path))
    first = start(tmp_path)
    assert first.stdout is not None
    assert first.stdout.readline() == "making\n"
    execution.stopping.set()
    with pytest.raises(Stopped):
        made_once(tmp_path, execution, lambda: None)
    first.communicate("die\n", timeout=60)
