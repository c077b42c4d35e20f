"""Real kills of a real command: the same command goes on, and the weights are those of a run never cut."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow

CONFIG = """
extends: image
data: {source: {name: digits, location: "embedded:digits", modality: image}}
training:
  pretraining: null
  members:
    - {family: flow_matching, size: debug, steps: 900, plan: {checkpoint_seconds: 0.2}}
    - {family: gan, size: debug, steps: 400, plan: {checkpoint_seconds: 0.2}}
  baseline: {family: gaussian_mixture, size: debug}
evaluation: {metrics: [nearest_training_distance_ratio], samples: 16, shown: 1}
promotion: {gates: []}
generation: {count: 2}
"""


def start(workspace: Path) -> subprocess.Popen[str]:
    workspace.mkdir(exist_ok=True)
    (workspace / "c.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "flows.cli", "train", "c.yaml", "--json"]
    env = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")} | {
        "AIGC_WORKSPACE": str(workspace)
    }
    return subprocess.Popen(command, cwd=workspace, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> tuple[dict, str]:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out), err


def until_training(workspace: Path, process: subprocess.Popen[str]) -> None:
    """Wait for a second checkpoint of some member: it is in the middle of its training."""
    for _ in range(1200):
        if any(
            int(path.name.split("-")[-1]) > 0
            for path in workspace.glob(".aigc/stages/finetune-*/checkpoints/*[0-9]")
            if path.is_dir()
        ):
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    pytest.fail("no checkpoint came")


def weights(workspace: Path) -> dict[str, str]:
    """The digests of each member's weights, by its name."""
    cards = [json.loads(path.read_text()) for path in workspace.glob(".aigc/stages/finetune-*/bundle/bundle.json")]
    return {card["name"]: card["digests"] for card in cards}


def open_runs(workspace: Path) -> tuple[int, int]:
    """How many runs MLflow and Prefect hold for running."""
    with sqlite3.connect(workspace / ".aigc" / "mlflow.db") as mlflow:
        (left,) = mlflow.execute("select count(*) from runs where status = 'RUNNING'").fetchone()
    with sqlite3.connect(workspace / ".aigc" / "prefect" / "prefect.db") as prefect:
        (flows,) = prefect.execute("select count(*) from flow_run where state_type in ('RUNNING', 'PENDING')").fetchone()
    return left, flows


@pytest.fixture(scope="module")
def uncut(tmp_path_factory):
    workspace = tmp_path_factory.mktemp("uncut")
    finished(start(workspace))
    return weights(workspace)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_same_command_goes_on_after(number, status, uncut, tmp_path):
    process = start(tmp_path)
    until_training(tmp_path, process)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 3, "Prefect's server and two members"
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    assert "Traceback" not in err
    _, alive = psutil.wait_procs(children, timeout=15)
    assert not alive, "no orphan is left"
    if number != signal.SIGKILL:
        assert open_runs(tmp_path) == (0, 0), "a signal that can be caught leaves nothing open"
    assert set(weights(tmp_path)) != set(uncut), "it was cut before every member was done"

    _, err = finished(start(tmp_path))
    assert weights(tmp_path) == uncut
    assert open_runs(tmp_path) == (0, 0)
    assert "cached" in err
