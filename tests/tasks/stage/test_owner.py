import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tasks.stage.owner import alive, locked, owner, tidy
from tasks.stage.settings import Workspace

HOLD = """
import sys, pathlib
from tasks.stage.owner import owner
from tasks.stage.settings import Workspace
print(owner(Workspace(pathlib.Path(sys.argv[1]))), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path):
    """Another process that holds its own lock in the same workspace."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout
    yield process, process.stdout.readline().strip()
    process.kill()
    process.wait()


def test_an_owner_lives_until_it_is_killed(tmp_path: Path, other) -> None:
    process, owner_id = other
    workspace = Workspace(tmp_path)
    assert alive(workspace, owner_id)
    process.kill()
    process.wait()
    assert not alive(workspace, owner_id)
    assert tidy(workspace) == 1
    assert not alive(workspace, owner_id)


def test_a_clean_exit_leaves_no_lock_file(tmp_path: Path, other) -> None:
    process, owner_id = other
    process.communicate()
    assert not list((tmp_path / ".aigc" / "locks").glob("run-*"))
    assert not alive(Workspace(tmp_path), owner_id)


def test_this_process_is_one_owner_and_alive_to_itself(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert owner(workspace) == owner(workspace)
    assert alive(workspace, owner(workspace))
    assert tidy(workspace) == 0


def test_what_another_workspace_opened_is_not_judged(tmp_path: Path) -> None:
    stranger = owner(Workspace(tmp_path / "one"))
    assert alive(Workspace(tmp_path / "two"), stranger)


def test_locked_lets_one_in_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(20):
            with locked(Workspace(tmp_path), "count"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80
    assert max(most) == 1
