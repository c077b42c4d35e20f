from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from aigc_models.errors import AigcError, BadInput
from tasks.dataset.ledger import Version, ledger, record
from tasks.stage.references import SplitRef, VersionRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.version.version import ATTEMPTS, Dvc, version


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def dataset(workspace: Workspace, name: str, text: str = "some rows") -> SplitRef:
    folder = workspace.data / name
    (folder / "clean").mkdir(parents=True, exist_ok=True)
    (folder / "clean" / "00000-a.parquet").write_text(text)
    (folder / "card.json").unlink(missing_ok=True)
    (folder / "card.json").write_text(name)
    fields = {"dataset": name, "modality": "text", "quarantined": 0, "duplicates": 0, "labels": ()}
    return SplitRef.to(workspace, folder, rows=3, splits={"train": 1, "validation": 1, "test": 1}, **fields)


def run(workspace: Workspace, split: SplitRef) -> VersionRef:
    return version.plain(split, StageContext(folder=workspace.stages / "version", workspace=workspace))


def test_outside_git(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").touch()
    (workspace.state / "dvc-init").touch()  # as a `dvc init` that was killed leaves it
    ref = run(workspace, dataset(workspace, "digits"))
    assert len(ref.version) == 12
    assert ref.intact(workspace)
    assert os.stat(tmp_path / "data/digits/card.json").st_nlink == 2  # one copy on the disk, not two
    assert Dvc(workspace).up_to_date()
    (tmp_path / "data/digits/card.json").unlink()
    assert not Dvc(workspace).up_to_date()
    with pytest.raises(AigcError, match=r"dvc add nothing failed in .*nothing"):
        Dvc(workspace).run("add", "nothing")


@pytest.mark.slow
def test_another_data_set_changes_no_version(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    alone = run(workspace, dataset(workspace, "digits"))
    other = run(workspace, dataset(workspace, "notes", "others"))
    assert run(workspace, dataset(workspace, "digits")).version == alone.version != other.version
    trees = [entry.tree for entry in ledger(workspace, "digits")]
    assert len(trees) == len(set(trees)) == 2
    assert [entry.version for entry in ledger(workspace, "notes")] == [other.version]


@pytest.mark.slow
def test_a_fresh_clone_makes_the_same_data_dvc(tmp_path: Path) -> None:
    first, clone = Workspace(tmp_path / "first"), Workspace(tmp_path / "clone")
    first.root.mkdir()
    git(first.root, "init", "--quiet")
    (first.root / ".gitignore").write_text("/data/\n.aigc/\n")
    made = [run(first, dataset(first, name)).version for name in ("digits", "notes")]
    git(first.root, "add", "--all")
    git(first.root, "commit", "--quiet", "--message", "data")
    assert git(first.root, "ls-files").split() == [".dvc/.gitignore", ".dvc/config", ".dvcignore", ".gitignore", "data.dvc"]
    git(tmp_path, "clone", "--quiet", "first", "clone")
    assert [run(clone, dataset(clone, name)).version for name in ("digits", "notes")] == made
    assert git(clone.root, "status", "--porcelain") == ""
    assert (clone.root / "data.dvc").read_bytes() == (first.root / "data.dvc").read_bytes()
    assert Dvc(clone).up_to_date()


@pytest.mark.slow
def test_a_checkout_without_its_git_folder(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    workspace = Workspace(tmp_path)
    run(workspace, dataset(workspace, "digits"))
    shutil.rmtree(tmp_path / ".git")
    run(workspace, dataset(workspace, "notes"))
    assert Dvc(workspace).up_to_date()


@pytest.mark.slow
def test_below_a_git_root(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    workspace = Workspace(tmp_path / "team")
    workspace.root.mkdir()
    run(workspace, dataset(workspace, "digits"))
    assert (workspace.root / "data.dvc").exists()
    assert not (tmp_path / ".dvc").exists()


def test_record_adds_a_line_only_for_something_new(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    one = Version(dataset="digits", version="a", rows=1, splits={"train": 1}, tree="t")
    other = one.model_copy(update={"version": "b"})
    for entry in (one, one, other, other.model_copy(update={"dataset": "notes"}), other, one):
        record(workspace, entry)
    assert [entry.version for entry in ledger(workspace, "digits")] == ["a", "b", "a"]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.CompletedProcess[str]]:
    """What the next calls of dvc end with; the last one again and again."""
    waiting: list[subprocess.CompletedProcess[str]] = []
    monkeypatch.setattr("tasks.version.version.PAUSE", 0.0)
    monkeypatch.setattr("tasks.version.version.subprocess.run", lambda *_, **__: waiting.pop(0))
    return waiting


LOCKED = subprocess.CompletedProcess([], 255, "", "ERROR: Unable to acquire lock. Most likely another DVC process is running")


def test_waits_while_another_dvc_holds_its_lock(tmp_path: Path, answers: list) -> None:
    answers += [LOCKED, LOCKED, subprocess.CompletedProcess([], 0, "fine", "")]
    assert Dvc(Workspace(tmp_path)).run("status") == "fine"


def test_gives_up_in_the_end(tmp_path: Path, answers: list) -> None:
    answers += [LOCKED] * ATTEMPTS
    with pytest.raises(AigcError, match=r"dvc add data failed in .*Unable to acquire lock"):
        Dvc(Workspace(tmp_path)).run("add", "data")
    assert not answers


def test_another_failure_is_not_tried_again(tmp_path: Path, answers: list) -> None:
    answers += [subprocess.CompletedProcess([], 255, "", "ERROR: no space left on device")] * 2
    with pytest.raises(AigcError, match="no space left"):
        Dvc(Workspace(tmp_path)).run("add", "data")
    assert len(answers) == 1


@pytest.mark.slow
def test_marks_of_a_merge_in_data_dvc_are_refused_in_a_sentence(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    run(workspace, dataset(workspace, "digits"))
    pointer = tmp_path / "data.dvc"
    merged = f"<<<<<<< HEAD\n{pointer.read_text()}=======\n{pointer.read_text()}>>>>>>> other\n"
    pointer.write_text(merged)
    with pytest.raises(BadInput, match=r"data.dvc holds the marks of a merge.*git checkout --ours data.dvc"):
        run(workspace, dataset(workspace, "digits", "more rows"))
    assert pointer.read_text() == merged
    assert len(ledger(workspace, "digits")) == 1


def test_a_remote_with_a_password_in_its_url_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(BadInput, match=r"not belong into the URL of a remote.*dvc remote modify --local") as caught:
        Dvc(Workspace(tmp_path)).remote("ssh://me:s3cret@host/a")
    assert "s3cret" not in str(caught.value)
    assert not list(tmp_path.iterdir())
