"""The same functions against a tracking server, which `MLFLOW_TRACKING_URI` alone chooses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.registry.bundles import resolve
from tasks.registry.history import history
from tasks.registry.promote import promote_version
from tasks.stage.settings import Workspace
from tasks.stage.tracking import prepare

pytestmark = pytest.mark.slow


def answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(f"{address}/health", timeout=1).status == 200
    except OSError:
        return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = ["--backend-store-uri", f"sqlite:///{tmp_path}/server.db", "--artifacts-destination", str(tmp_path / "store")]
    command = [sys.executable, "-m", "mlflow", "server", *store, "--port", str(port), "--workers", "1"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + 120
    while not answers(f"http://127.0.0.1:{port}") and time.monotonic() < deadline:
        time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()


def test_a_server_takes_the_place_of_the_embedded_store(
    server: str, registrar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    here, elsewhere = Workspace(tmp_path / "here"), Workspace(tmp_path / "elsewhere")
    remote = type(registrar)(prepare(here), {})
    registered = remote.register("shared", 1, loss=0.5)
    promote_version(here, "shared", registered.version)
    assert not (here.state / "mlflow.db").exists()
    fetched = resolve(elsewhere, "shared")
    assert fetched == resolve(elsewhere, "shared@champion")
    assert fetched.is_relative_to(elsewhere.state)
    assert (fetched / "bundle.json").read_text() == (here.outputs / "shared-1" / "bundle.json").read_text()
    assert [entry.to_version for entry in history(elsewhere, "shared")] == [1]
    assert remote.tracker.client.get_run(registered.run_id).info.status == "FINISHED"
    assert capsys.readouterr() == ("", "")
