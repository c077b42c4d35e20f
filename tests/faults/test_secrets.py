"""Secrets of every kind, of a real run against a server that asks for a password: none of them is left anywhere."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil
import pytest
from pyarrow import parquet

pytestmark = pytest.mark.slow

TRACKING, REGISTRY = "tr4cking/p@ss", "reg1stry-pass"  # of the users of MLflow's server
SECRETS = {
    "MLFLOW_TRACKING_PASSWORD": "mlflow-pass-w0rd",
    "MLFLOW_TRACKING_TOKEN": "mlflow-t0ken",
    "AWS_SECRET_ACCESS_KEY": "aws-s3cret-key",
    "AWS_SESSION_TOKEN": "aws-sess1on",
    "PREFECT_API_KEY": "prefect-k3y",
    "PREFECT_API_AUTH_STRING": "admin:prefect-4uth",
    "PREFECT_SERVER_API_AUTH_STRING": "admin:prefect-4uth",
    "HTTPS_PROXY": "http://me:pr0xy-pass@127.0.0.1:9",
    "PGPASSWORD": "p0stgres-pass",
    "NOTIFY_WEBHOOK": "https://hooks.example.org/services/w3bhook-path?token=w3bhook-token",
}
WORDS = {
    *(value for name, value in SECRETS.items() if "://" not in value and ":" not in value),
    *("prefect-4uth", "pr0xy-pass", "w3bhook-path", "w3bhook-token", "d4tabase-pass", "dvc-rem0te-pass", "s0urce-pass"),
    *("s0urce-signature", "s0urce-t0ken", "unreach4ble-pass", TRACKING, REGISTRY, quote(TRACKING, safe="")),
}
CONFIG = """
extends: image
data: {source: {name: digits, location: "embedded:digits", modality: image}}
training:
  pretraining: null
  members:
    - {family: gaussian_mixture, size: debug}
  baseline: {family: gaussian_mixture, size: debug}
evaluation: {metrics: [empty_share], samples: 16, shown: 1}
promotion: {gates: []}
generation: {count: 2}
"""


class Gate(ThreadingHTTPServer):
    """Lets through to `server` who knows one of the passwords; `refused` counts the others."""

    daemon_threads = True

    def __init__(self, server: str) -> None:
        super().__init__(("127.0.0.1", 0), Pass)
        self.server, self.users, self.refused = server, set[str](), 0


class Pass(BaseHTTPRequestHandler):
    server: Gate  # type: ignore[assignment]

    def answer(self) -> None:
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        user = base64.b64decode(given).decode() if kind == "Basic" else ""
        if user not in {f"me:{TRACKING}", f"me:{REGISTRY}"}:
            self.server.refused += 1
            self.send_error(401)
            return
        self.server.users.add(user)
        left_out = {"host", "authorization", "connection", "accept-encoding"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in left_out}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = httpx.request(self.command, self.server.server + self.path, headers=headers, content=body, timeout=60)
        self.send_response(said.status_code)
        for name in ("Content-Type", "Content-Disposition"):
            if name in said.headers:
                self.send_header(name, said.headers[name])
        self.send_header("Content-Length", str(len(said.content)))
        self.end_headers()
        self.wfile.write(said.content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *arguments: Any) -> None:
        return None


@pytest.fixture
def gate(mlflow_server: str) -> Iterator[Gate]:
    server = Gate(mlflow_server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


class User:
    """Gives commands; `said` is all that they print, and the command lines of what they start."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.said = folder / "w", ""
        home, project = folder / "home", str(Path(__file__).parents[2])
        home.mkdir()
        self.folder.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MLFLOW_"))}
        here = {"AIGC_WORKSPACE": str(self.folder), "PYTHONPATH": project, "HOME": str(home), "TMPDIR": str(home)}
        self.environment = {**kept, **here, **environment}

    def gives(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """The exit status of a command, and what it printed."""
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.command_line.app", *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        watch = threading.Thread(target=self._watch, args=(process.pid,))
        watch.start()
        out, _ = process.communicate(timeout=300)
        watch.join()
        self.said += out
        return process.returncode, out

    def _watch(self, number: int) -> None:
        lines: set[str] = set()
        while psutil.pid_exists(number):
            try:
                lines |= {" ".join(child.cmdline()) for child in psutil.Process(number).children(recursive=True)}
            except psutil.Error:
                continue
            time.sleep(0.2)  # to look takes a third of a core at 0.05
        self.said += "\n".join(lines)


def content(file: Path) -> bytes:
    """The bytes of a file, and what those of a table hold."""
    data = file.read_bytes()
    if file.suffix == ".parquet":
        table = parquet.read_table(file)
        data += b"\n".join(str(table[name].to_pylist()).encode() for name in table.column_names)
    return data


def leaks(folder: Path, users: Path) -> set[str]:
    """Which secret stands in which file below `folder`; `users` is the file of the user's that has one."""
    files = [file for file in folder.rglob("*") if file.is_file() and file != users]
    return {f"{word} in {file}" for file in files for word in WORDS if word.encode() in content(file)}


def database(folder: Path) -> str:
    """Of Prefect, at an address with a password that SQLite passes over."""
    return f"sqlite+aiosqlite:///file:{folder}/prefect.db?uri=true&password=d4tabase-pass"


def test_no_secret_is_left_where_a_run_has_been(tmp_path: Path, gate: Gate) -> None:
    address = f"127.0.0.1:{gate.server_port}"
    servers = {
        "MLFLOW_TRACKING_URI": f"http://me:{quote(TRACKING, safe='')}@{address}",
        "MLFLOW_REGISTRY_URI": f"http://me:{REGISTRY}@{address}",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
        "PREFECT_API_DATABASE_CONNECTION_URL": database(tmp_path),
    }
    user = User(tmp_path, {**SECRETS, **servers})
    (user.folder / "c.yaml").write_text(CONFIG)
    status, out = user.gives("run", "c.yaml", "--json")
    assert status == 0, out
    assert gate.users == {f"me:{TRACKING}", f"me:{REGISTRY}"}
    assert gate.refused == 0
    assert (tmp_path / "prefect.db").stat().st_size > 0
    page = next(user.folder.glob("outputs/*/index.html")).read_text()
    assert f'href="http://{address}/#/experiments/' in page
    users = user.folder / ".dvc" / "config.local"
    users.write_text("[core]\n    remote = team\n['remote \"team\"']\n    url = http://me:dvc-rem0te-pass@127.0.0.1:9/a\n")
    assert user.gives("data", "push", "digits")[0] == 1
    assert user.gives("data", "push", "digits", "--remote", "ssh://me:dvc-rem0te-pass@127.0.0.1/a")[0] == 2
    for source in (
        "http://me:s0urce-pass@127.0.0.1:9/a.csv",
        "http://s0urce-t0ken@127.0.0.1:9/a.csv",
        "http://127.0.0.1:9/a.csv?X-Amz-Signature=s0urce-signature",
        "postgresql://me:s0urce-pass@127.0.0.1:9/shop",
    ):
        assert user.gives("data", "add", "letters", source)[0] == 2
    assert user.gives("models", "list", "--json")[0] == 0
    status, out = user.gives("doctor")
    assert f"ok    mlflow store: http://{address}/health answers" in out
    gone = "http://me:unreach4ble-pass@127.0.0.1:9/?token=s0urce-t0ken"
    for arguments in (["doctor", "--json"], ["models", "list"], ["run", "c.yaml", "--json"], ["--debug", "run", "c.yaml"]):
        status, out = user.gives(*arguments, MLFLOW_TRACKING_URI=gone, MLFLOW_REGISTRY_URI=gone, PREFECT_API_URL="")
        assert status == 1, out
        assert "127.0.0.1" in out
    assert not {word for word in WORDS if word in user.said}
    assert not leaks(tmp_path, users)


def test_another_password_is_the_same_server(monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.registry.register import store_identity

    def identity(address: str) -> str:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        return store_identity()

    assert identity("http://me:one@mlflow.example") == identity("http://me:two@mlflow.example")
    assert identity("http://me:one@mlflow.example") != identity("http://me:one@mlflow2.example")
