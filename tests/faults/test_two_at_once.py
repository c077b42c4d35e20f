"""Several processes in one workspace: who comes second waits, and says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROJECT = str(Path(__file__).parents[2])
HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""
PROBES = """
import pathlib, sys
from tasks.stage.settings import Workspace, scratch_folder
workspace = Workspace(pathlib.Path(sys.argv[1]))
for _ in range(50):
    workspace.create()
    with scratch_folder(workspace):
        pass
"""


def started(workspace: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    workspace.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    env = {**kept, "AIGC_WORKSPACE": str(workspace), "PYTHONPATH": PROJECT, **environment}
    command = [sys.executable, "-m", "flows.command_line.app", *arguments]
    return subprocess.Popen(command, cwd=workspace, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def texts(folder: Path) -> Path:
    folder.mkdir()
    for number in range(80):
        words = " ".join(f"{folder.name}{(number + 1) * (place + 7) ** 3 % 9973}" for place in range(12))
        (folder / f"{number}.txt").write_text(words)
    return folder


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that has both databases."""
    folder = tmp_path_factory.mktemp("used")
    done = started(folder / "w", "data", "add", "used", str(texts(folder / "used")), "--json")
    _, err = done.communicate(timeout=300)
    assert done.returncode == 0, err
    return folder / "w"


@pytest.mark.parametrize("database", ["mlflow.db", "prefect/prefect.db"])
def test_a_database_that_is_held_is_waited_for_and_then_named(used: Path, database: str) -> None:
    place = used / ".aigc" / database
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(place)], **pipes) as holder:  # type: ignore[call-overload]
        assert holder.stdout.readline() == "held\n"
        source = str(used.parent / "used")
        impatient = started(used, "data", "add", "used", source, "--json", AIGC_DATABASE_WAIT="2")
        _, err = impatient.communicate(timeout=120)
        assert impatient.returncode == 1, err
        assert f"waiting for {place}" in err
        assert f"error: {place} is held by another process" in err
        assert "fault of ours" not in err
        assert "Traceback" not in err
        patient = started(used, "data", "add", "used", source, "--json")
        lines = iter(patient.stderr.readline, "")  # type: ignore[union-attr]
        assert f"waiting for {place}, which another process holds (60 s at most)\n" in lines
        holder.stdin.close()  # type: ignore[union-attr]
        out, err = patient.communicate(timeout=120)
    assert patient.returncode == 0, err
    assert json.loads(out)["name"] == "used"


def test_twenty_processes_make_one_workspace(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROBES, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": PROJECT}
    children = [subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) for _ in range(20)]
    errors = [child.communicate(timeout=120)[1] for child in children]
    assert [child.returncode for child in children] == [0] * 20, errors
    assert [path.name for path in (tmp_path / ".aigc").iterdir()] == ["tmp"]
    assert not list((tmp_path / ".aigc" / "tmp").iterdir())


def test_commands_that_race_in_a_new_workspace_all_succeed(tmp_path: Path) -> None:
    sources = [texts(tmp_path / name) for name in ("one", "two")]
    names = ("one", "two", "one")
    racing = [started(tmp_path / "w", "data", "add", name, str(sources[name == "two"]), "--json") for name in names]
    ended = [command.communicate(timeout=300) for command in racing]
    assert [command.returncode for command in racing] == [0, 0, 0], [err for _, err in ended]
    answers = [json.loads(out) for out, _ in ended]
    assert [answer["counts"]["kept"] for answer in answers] == [80, 80, 80]
    verified = started(tmp_path / "w", "data", "verify", "one", "--json")
    assert verified.communicate(timeout=120)[0]
    assert verified.returncode == 0
