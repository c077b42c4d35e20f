import fcntl
import io
from types import SimpleNamespace

import pytest

from flows import guardian
from tasks.stage.settings import Workspace


@pytest.fixture
def ended(tmp_path, monkeypatch):
    """Let the guardian of a process see the end of its pipe; whether it closed what that left open."""

    def ask(owner: str) -> bool:
        closed = []
        monkeypatch.setattr(guardian, "close", closed.append)
        monkeypatch.setattr(guardian, "PATIENCE", 0.3)
        monkeypatch.setattr(guardian.sys, "argv", ["guardian", str(tmp_path), owner])
        monkeypatch.setattr(guardian.sys, "stdin", SimpleNamespace(buffer=io.BytesIO()))
        guardian.main()
        return closed == [Workspace(tmp_path)]

    return ask


@pytest.fixture
def lock(tmp_path):
    """The lock file of a process of this workspace."""
    folder = tmp_path / ".aigc" / "locks"
    folder.mkdir(parents=True)
    (folder / "workspace.id").write_text("here")
    return folder / "run-here-1-a.lock"


def test_a_process_that_was_killed_leaves_its_lock_and_is_cleared_up_after(ended, lock):
    lock.touch()
    assert ended("here-1-a")


def test_a_process_that_ended_by_itself_needs_nobody(ended, lock):
    assert not ended("here-1-a")


def test_a_process_that_still_holds_its_lock_is_left_alone(ended, lock):
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert not ended("here-1-a")
