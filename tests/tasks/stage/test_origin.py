import json
import subprocess
from pathlib import Path

from tasks.stage.origin import constraints_digest, git_revision, origin, package


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, check=True, capture_output=True)


def test_git_revision_says_when_the_code_was_changed(tmp_path: Path) -> None:
    assert git_revision(tmp_path) == ""
    git(tmp_path, "init")
    (tmp_path / "code.py").write_text("1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    clean = git_revision(tmp_path)
    assert len(clean) == 40
    (tmp_path / "code.py").write_text("2")
    assert git_revision(tmp_path) == f"{clean}-dirty"


def test_constraints_digest_follows_the_file(tmp_path: Path) -> None:
    path = tmp_path / "constraints.txt"
    assert constraints_digest(path) == ""
    path.write_text("torch==1\n")
    before = constraints_digest(path)
    path.write_text("torch==2\n")
    assert before != constraints_digest(path)


def test_package_versions_can_be_installed_from_anywhere() -> None:
    assert package("torch")
    assert "+" not in package("torch")
    assert package("no-such-package") == ""


def test_the_machine_is_in_the_tags() -> None:
    machine = json.loads(origin()["aigc.system"])
    assert machine["cores"] >= 1
    assert machine["memory_bytes"] > 1e8
