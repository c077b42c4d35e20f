"""MLflow's and Prefect's own pages on the workspace's state."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import NoReturn

from aigc_models.errors import AigcError, BadInput
from tasks.stage.addresses import without_secrets
from tasks.stage.settings import Workspace


def commands(workspace: Workspace, mlflow_port: int, prefect_port: int) -> dict[str, tuple[list[str], str]]:
    """What to start, and the address of each page; a server of the team's own is only named."""
    commands = {}
    if not workspace.tracking_uri.startswith("http"):
        mlflow = [
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--port",
            str(mlflow_port),
            "--artifacts-destination",
            (workspace.state / "mlartifacts").as_uri(),
        ]
        commands["MLflow"] = (mlflow, f"http://127.0.0.1:{mlflow_port}")
    if "PREFECT_API_URL" not in os.environ:
        prefect = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(prefect_port)]
        commands["Prefect"] = (prefect, f"http://127.0.0.1:{prefect_port}")
    return commands


def show_pages(workspace: Workspace, mlflow_port: int, prefect_port: int) -> None:
    """Start what is not running already, say where, and end them all on Ctrl-C or when one ends."""
    from flows.api import environment
    from tasks.stage.tracking import prepare

    wanted = commands(workspace, mlflow_port, prefect_port)
    for name, (_, address) in wanted.items():
        check_free(name, int(address.rsplit(":", 1)[1]))
    prepare(workspace)
    os.environ.update(environment(workspace))
    started = {}
    try:
        for name, (command, address) in wanted.items():
            log = (workspace.state / f"{name.lower()}-page.log").open("ab")
            started[name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=workspace.root,
                env=page_environment(workspace, address),
                start_new_session=True,
            )
            print(f"{name}: {address}", flush=True)
        for name, variable in (("MLflow", "MLFLOW_TRACKING_URI"), ("Prefect", "PREFECT_API_URL")):
            if name not in started:
                print(f"{name}: runs already at {without_secrets(os.environ.get(variable, ''))}")
        print("Ctrl-C ends both", flush=True)
        _wait(started, workspace)
    finally:
        for process in started.values():
            end(process)


def check_free(name: str, port: int) -> None:
    """Raises `BadInput` where something listens on the port already."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise BadInput(f"{name}: port {port} is taken; choose another with --{name.lower()}-port") from error


def page_environment(workspace: Workspace, address: str) -> dict[str, str]:
    """Prefect's page asks the API at a fixed port unless it is told where it is, and its server forgets who holds a
    deployment's slot unless it keeps that in files; MLflow starts seven workers for jobs that nothing here gives it, and
    has its database from here, since all users of the machine can read a command line, and a password in it."""
    return {
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        **os.environ,
        "PREFECT_SERVER_UI_API_URL": f"{address}/api",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_BACKEND_STORE_URI": workspace.tracking_uri,
    }


def end(process: subprocess.Popen[bytes]) -> None:
    """End a page and the workers that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(started: dict[str, subprocess.Popen[bytes]], workspace: Workspace) -> NoReturn:
    while True:
        for name, process in started.items():
            if process.poll() is not None:
                raise AigcError(
                    f"{name}'s page ended with status {process.returncode}; see {workspace.state / f'{name.lower()}-page.log'}"
                )
        time.sleep(0.5)
