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
    - {family: flow_matching, size: debug, steps: 240, plan: {checkpoint_seconds: 0.5}}
  baseline: {family: gaussian_mixture, size: debug}
evaluation: {metrics: [empty_share], samples: 16, shown: 1}
promotion: {gates: []}
generation: {count: 2}
"""


def start(workspace: Path) -> subprocess.Popen[str]:
    workspace.mkdir(exist_ok=True)
    (workspace / "c.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "flows.command_line.app", "train", "c.yaml", "--json"]
    env = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")} | {
        "AIGC_WORKSPACE": str(workspace)
    }
    return subprocess.Popen(command, cwd=workspace, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> tuple[dict, str]:
    out, err = process.communicate(timeout=1200)
    assert process.returncode == 0, err
    return json.loads(out), err


def newest(workspace: Path) -> int:
    """The step of the newest checkpoint of a member; 0 where there is none."""
    folders = workspace.glob(".aigc/stages/finetune-*/checkpoints/*[0-9]")
    return max((int(path.name.split("-")[-1]) for path in folders if path.is_dir()), default=0)


def until_training(workspace: Path, process: subprocess.Popen[str], before: int) -> None:
    """Wait for a checkpoint after the step `before`: some member is in the middle of its training."""
    for _ in range(24_000):
        if newest(workspace) > before:
            return
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    process.kill()
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


def cut(workspace: Path, number: signal.Signals) -> tuple[int, str]:
    """Start the command and end it with a signal in the middle of a training; nothing that it started is left."""
    before = newest(workspace)
    process = start(workspace)
    until_training(workspace, process, before)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2, "Prefect's server and a member"
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    _, alive = psutil.wait_procs(children, timeout=15)
    assert not alive, "no orphan is left"
    assert "flow_matching" not in weights(workspace), "it was cut before the member was done"
    return process.returncode, err


def test_cut_again_and_again_the_same_command_goes_on_to_the_same_weights(tmp_path):
    uncut, workspace = tmp_path / "uncut", tmp_path / "cut"
    finished(start(uncut))
    for number, expected in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        status, err = cut(workspace, number)
        assert status == expected, err
        assert "Traceback" not in err
        assert "the same command goes on" in err or number == signal.SIGTERM
        assert open_runs(workspace) == (0, 0)
        assert newest(workspace) > 0
    status, _ = cut(workspace, signal.SIGKILL)
    assert status == -9
    _, err = finished(start(workspace))
    assert weights(workspace) == weights(uncut)
    assert open_runs(workspace) == (0, 0)
    assert "closed what a run that died left open" in err
    assert "cached" in err
