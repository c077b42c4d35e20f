"""Servers in processes of their own, whose memory can be watched from outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).parent / "requests" / "server.py"
SECONDS = 60.0  # without an answer


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> str:
        """What an error says."""
        return str(json.loads(self.body)["error"]["message"])


@dataclass
class Running:
    """A server, and what it takes."""

    process: subprocess.Popen[str]
    port: int
    log: Path
    workspace: Path

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Sends what a client library would refuse to send, too."""
        payload = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        fields = {"Host": "127.0.0.1", "Content-Length": str(len(payload)), "Connection": "close"}
        if payload:
            fields["Content-Type"] = "application/json"
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**fields, **(headers or {})}.items())]
        with self.connect() as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it has answered, and reads no more
                connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + payload)
            response = HTTPResponse(connection, method=method)
            response.begin()
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    @property
    def resident(self) -> float:
        """Megabytes of memory."""
        return self._of_status("VmRSS")

    def watch_peak(self) -> None:
        """Begin anew with what `peak` says."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    @property
    def peak(self) -> float:
        """The most megabytes of memory since `watch_peak`."""
        return self._of_status("VmHWM")

    @property
    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _of_status(self, name: str) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(f"{name}:"))


@contextmanager
def started(workspace: Path, bundles: dict[str, Path], *limits: str) -> Iterator[Running]:
    arguments = [f"{name}={folder}" for name, folder in bundles.items()] + [f"limit:{limit}" for limit in limits]
    log = workspace / "server.log"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with log.open("w") as stderr:
        command = [sys.executable, str(SERVER), str(workspace), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline() or "{}").get("url")
        assert url, log.read_text()
        assert "ready" in process.stdout.readline(), log.read_text()
        yield Running(process, int(url.rpartition(":")[2]), log, workspace)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def serve_bundles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """`serve_bundles({name: folder}, "limit=value", ..., prepare=...)`: a server that is ready; they end with the module.

    `prepare(workspace)` is called with its folder before it starts.
    """
    with ExitStack() as stack:

        def start(bundles: dict[str, Path], *limits: str, prepare: Callable[[Path], None] = lambda folder: None) -> Running:
            workspace = tmp_path_factory.mktemp("served")
            (workspace / ".aigc").mkdir()
            prepare(workspace)
            return stack.enter_context(started(workspace, bundles, *limits))

        yield start


@pytest.fixture(scope="session")
def paint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network of pictures that is sampled in steps."""
    from aigc_models import bundle
    from aigc_models.bundle import Card
    from aigc_models.families import flow_matching
    from aigc_models.modalities import image

    config, form = flow_matching.SIZES["debug"], image.Format(height=8, width=8, channels=1)
    card = Card(name="paint", family="flow_matching", modality="image", labels=("dark", "light"), dataset="paint",
                version="d4ta", micro_batch=4, config=config.model_dump(mode="json"), format=form.model_dump())  # fmt: skip
    folder = tmp_path_factory.mktemp("paint") / "paint"
    bundle.save(folder, flow_matching.build(config, card.shape), card)
    return folder


@pytest.fixture(scope="session")
def settled() -> Callable[[Running], float]:
    """`settled(server)`: waits until it has done nothing for a moment; the seconds of processor time until then."""

    def wait(server: Running) -> float:
        began = before = server.cpu_seconds
        time.sleep(0.2)
        while (now := server.cpu_seconds) > before:
            before = now
            time.sleep(0.2)
        return before - began

    return wait
