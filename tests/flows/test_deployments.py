"""A real Prefect server and worker: everything is deployed, runs, is scheduled, and survives a Ctrl-C truthfully."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml

pytestmark = pytest.mark.slow

HERE, PROJECT = Path(__file__).parent, Path(__file__).parents[2]
TOYS = f"{HERE}{os.pathsep}{HERE.parent / 'tasks' / 'stage'}"
TEXT = "\n".join(
    json.dumps({"text": f"the {word} of number {number} is long enough"}) for word in "abcde" for number in range(40)
)


def eventually(look, seconds=60.0):
    """The first true answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if state := look():
            return state
        time.sleep(0.3)
    raise AssertionError("it did not come about in time")


class Team:
    """A workspace with a server and a worker, as docs/deployments.md starts them."""

    def __init__(self, folder):
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/api"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "AIGC_"))}
        more = {"PREFECT_HOME": str(folder / "home"), "PREFECT_API_URL": self.url, "PREFECT_WORKER_QUERY_SECONDS": "1"}
        python = os.pathsep.join([TOYS, os.environ.get("PYTHONPATH", "")])
        self.env = {**clean, **more, "PYTHONPATH": python, "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}

    def start(self, *command):
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def run(self, *command):
        return subprocess.run(
            [sys.executable, "-m", *command], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=120
        )

    def post(self, path, **body):
        return httpx.post(f"{self.url}/{path}", json=body, timeout=30).raise_for_status().json()

    def healthy(self):
        try:
            return httpx.get(f"{self.url}/health", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def state(self, run_id):
        return httpx.get(f"{self.url}/flow_runs/{run_id}", timeout=30).json()["state"]

    def mlflow(self):
        with sqlite3.connect(self.folder / ".aigc" / "mlflow.db") as store:
            return dict(store.execute("select name, status from runs"))


def end(process, number=signal.SIGINT):
    if process.poll() is None:
        os.killpg(process.pid, number)
        process.wait(30)


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    team = Team(tmp_path_factory.mktemp("team"))
    declared = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
    toying = {"name": "toying", "entrypoint": "toy_flows.toying", "work_pool": declared["deployments"][0]["work_pool"]}
    (team.folder / "prefect.yaml").write_text(yaml.safe_dump({**declared, "deployments": [*declared["deployments"], toying]}))
    (team.folder / "texts.jsonl").write_text(TEXT)
    server = team.start("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(team.port))
    try:
        eventually(team.healthy)
        yield team
    finally:
        end(server, signal.SIGTERM)


@pytest.fixture(scope="module")
def deployed(team):
    done = team.run("flows.command_line.app", "deploy", "--json")
    assert done.returncode == 0, done.stderr
    return {one["name"]: one for one in json.loads(done.stdout)["deployments"]}


@pytest.fixture
def worker(team, deployed):
    process = team.start("prefect", "worker", "start", "--pool", "aigc", "--type", "process")
    yield process
    end(process)


def test_what_is_deployed_runs_and_what_does_not_fit_is_named(team, deployed, worker):
    wanted = {"config": {"source": {"name": "texts", "location": "texts.jsonl"}}}
    done = team.run("prefect", "deployment", "run", "ingestion/ingestion", "--watch", "--params", json.dumps(wanted))
    assert done.returncode == 0, done.stdout
    assert json.loads((team.folder / "data" / "texts" / "card.json").read_text())["counts"]["raw"] == 200
    bad = {"order": {"data": "text"}}
    run = team.post(f"deployments/{deployed['training/training']['id']}/create_flow_run", parameters=bad)
    state = eventually(lambda: (current := team.state(run["id"]))["type"] == "FAILED" and current)
    assert "did you mean 'texts'" in state["message"]


def test_the_server_has_scheduled_what_has_a_cron(team, deployed):
    nightly = {"deployments": {"id": {"any_": [deployed["retrain_all/nightly"]["id"]]}}}
    planned = eventually(lambda: team.post("flow_runs/filter", **nightly), seconds=30)
    assert {run["expected_start_time"][11:16] for run in planned} == {"03:00"}


def test_ctrl_c_at_the_worker_leaves_nothing_running(team, deployed, worker):
    toy = {"toy": {"name": "long", "seconds": 300}}
    run = team.post(f"deployments/{deployed['toying/toying']['id']}/create_flow_run", parameters=toy)
    eventually(lambda: (team.folder / ".aigc" / "mlflow.db").exists() and team.mlflow().get("work long") == "RUNNING")
    end(worker)
    state = eventually(lambda: (current := team.state(run["id"]))["type"] == "CRASHED" and current)
    assert "what was finished is kept" in state["message"]
    assert {name: status for name, status in team.mlflow().items() if name in {"long", "make long", "work long"}} == {
        "long": "KILLED",
        "make long": "FINISHED",
        "work long": "KILLED",
    }
