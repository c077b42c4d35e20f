"""Two workspaces and a folder between them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from aigc_models.errors import AigcError, BadInput
from tasks.dataset.ledger import ledger
from tasks.stage.settings import Workspace
from tasks.version.cache import present
from tasks.version.checkout import checkout
from tasks.version.diff import diff
from tasks.version.history import read_history
from tasks.version.remote import pull, push

pytestmark = pytest.mark.slow  # DVC's command line takes half a second a call


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def test_a_fresh_clone_pulls_with_history(history, tmp_path_factory) -> None:
    first, second = history.versions
    away = tmp_path_factory.mktemp("away")
    remote, root = str(away / "remote"), history.workspace.root
    for wanted in (first, second):
        push(history.workspace, "letters", wanted, remote)
    (root / ".gitignore").write_text("/.aigc/\n/data/\n")
    git(root, "init", "-q")
    git(root, "add", "data.dvc", ".dvc/config", ".gitignore", ".dvcignore")
    git(root, "commit", "-qm", "data")
    git(away, "clone", "-q", str(root), "clone")
    clone = Workspace(away / "clone")

    assert pull(clone, "letters")[0].version == second
    assert [each.version for each in ledger(clone, "letters")] == [first, second]
    pull(clone, "letters", first)
    assert diff(clone, "letters", first).added.count == 19
    checkout(clone, "letters", second)
    assert (clone.data / "letters" / "card.json").read_bytes() == (root / "data/letters/card.json").read_bytes()
    with pytest.raises(BadInput, match=r"neither this workspace nor .*remote has a version of others"):
        pull(clone, "others")


def test_what_lies_here_stays_the_newest(history, tmp_path_factory) -> None:
    first, second = history.versions
    away = tmp_path_factory.mktemp("away")
    push(history.workspace, "letters", second, str(away))
    file = history.workspace.state / "versions.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text(lines[0] + '{"cut')  # a workspace that stayed behind, and was killed
    assert pull(history.workspace, "letters")[0].version == second
    assert [each.version for each in ledger(history.workspace, "letters")] == [second, first]
    assert file.read_text().endswith('{"cut')
    present(history.workspace, ledger(history.workspace, "letters")[0])


def test_a_remote_that_cannot_be_asked_is_named(history, tmp_path: Path) -> None:
    with pytest.raises(AigcError, match="its list of versions cannot be read"):
        read_history("letters", "nosuch://bucket", {})
    shutil.rmtree(tmp_path / "nothing", ignore_errors=True)
    assert read_history("letters", str(tmp_path / "nothing"), {}) == []
