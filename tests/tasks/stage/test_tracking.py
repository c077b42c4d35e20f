import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.stage.owner import owner
from tasks.stage.settings import Workspace
from tasks.stage.tracking import Tracker, flat, sweep

CHILD = """
import os, pathlib, sys
from tasks.stage.settings import Workspace
from tasks.stage.tracking import prepare
tracker = prepare(Workspace(pathlib.Path(sys.argv[1])))
if sys.argv[2] == "die":
    run = tracker.start("cut short")
    print(run.id, flush=True)
    os.kill(os.getpid(), 9)
with tracker.run("beside others") as run:
    run.log_metrics({"loss": 1.0})
print(run.id)
"""


def child(workspace: Workspace, what: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(workspace.root), what]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def tracker(registrar) -> Tracker:
    return registrar.tracker


def test_a_run_keeps_what_was_logged(tracker: Tracker, tmp_path: Path) -> None:
    tags = {"prefect.flow_run_id": "f1"}
    with tracker.run("flow") as parent, tracker.run("stage", parent.id, tags, {"plan": {"steps": 3}}) as run:
        run.log_curves(("loss", step, 1.0 / (step + 1), time.time()) for step in range(2500))
        run.log_metrics({"broken": float("nan"), "accuracy": 0.5})
        run.log_params({f"p{i}": i for i in range(250)})
        run.log_text("hello", "notes/a.txt")
        (tmp_path / "sample.png").write_bytes(b"1")
        run.log_artifact(tmp_path / "sample.png", "samples")
        run.log_artifacts(tmp_path, "whole")
        run.log_dataset("digits", "ab" * 32, "data/digits", {"rows": 10})
        run.set_tag("colour", "blue")
    kept = tracker.client.get_run(run.id)
    assert kept.info.status == "FINISHED"
    assert kept.data.tags["mlflow.parentRunId"] == parent.id
    assert kept.data.tags["aigc.owner"] == owner(tracker.workspace)
    assert kept.data.tags["prefect.flow_run_id"] == "f1"
    assert kept.data.tags["colour"] == "blue"
    assert json.loads(kept.data.tags["aigc.system"])["cores"] >= 1
    assert kept.data.params["plan.steps"] == "3"
    assert len(kept.data.params) == 251
    assert kept.data.metrics == {"loss": pytest.approx(1 / 2500), "accuracy": 0.5}
    assert len(tracker.client.get_metric_history(run.id, "loss")) == 2500
    assert {file.path for file in tracker.client.list_artifacts(run.id)} == {"notes", "samples", "whole"}
    assert kept.inputs.dataset_inputs[0].dataset.digest == ("ab" * 32)[:36]


@pytest.mark.parametrize(
    ("error", "status"), [(ValueError(), "FAILED"), (KeyboardInterrupt(), "KILLED"), (SystemExit(143), "KILLED")]
)
def test_the_end_state_is_true(tracker: Tracker, error: BaseException, status: str) -> None:
    seen: list[str] = []

    def stage() -> None:
        with tracker.run("stage") as run:
            seen.append(run.id)
            run.log_metrics({"loss": 2.0})
            raise error

    with pytest.raises(type(error)):
        stage()
    kept = tracker.client.get_run(seen[0])
    assert kept.info.status == status
    assert kept.data.metrics == {"loss": 2.0}, "what was buffered is written all the same"


def test_all_state_is_in_one_place(tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with tracker.run("stage") as run:
        run.log_text("1", "here.txt")
    assert not list(tmp_path.iterdir()), "no stray mlruns"
    assert (tracker.workspace.state / "mlflow.db").is_file()
    assert (tracker.workspace.state / "mlflow.db-wal").is_file()  # a write waits for the disk once
    assert any((tracker.workspace.state / "mlartifacts").rglob("here.txt"))


def test_flat_keeps_empty_and_deep_values() -> None:
    assert flat({"a": {"b": {"c": 1}}, "d": {}, "e": [1, 2]}) == {"a.b.c": "1", "d": "{}", "e": "[1, 2]"}
    assert flat({"weights": {"what?": 0.5}}) == {"weights.what_": "0.5"}


@pytest.mark.slow
def test_the_next_command_closes_what_a_killed_one_left(tracker: Tracker) -> None:
    process = child(tracker.workspace, "die")
    dead, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert tracker.client.get_run(dead.strip()).info.status == "RUNNING"
    with tracker.run("ours") as current:
        assert sweep(tracker.workspace) == [dead.strip()]
        assert tracker.client.get_run(dead.strip()).info.status == "KILLED"
        assert tracker.client.get_run(current.id).info.status == "RUNNING"


@pytest.mark.slow
def test_several_processes_may_come_first_and_say_nothing(tmp_path: Path) -> None:
    processes = [child(Workspace(tmp_path), "run") for _ in range(4)]
    answers = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, answers
    assert all(len(out.split()) == 1 and not err for out, err in answers)


def test_pickles_are_refused(tracker: Tracker) -> None:
    assert tracker.client
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


@pytest.mark.slow
def test_a_database_whose_making_was_killed_is_made_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for part in range(4):
        process = child(workspace, "live")
        deadline = time.monotonic() + 60
        while not (workspace.state / "mlflow.part").exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(0.05 * part)
        process.kill()
        process.wait()
    assert (workspace.state / "mlflow.part").exists()
    assert not workspace.database.exists()
    assert Tracker(workspace).experiment_id
    assert workspace.database.exists()
