"""A Prefect API for one command: the team's own where `PREFECT_API_URL` says so, or else a server
that starts with the command and ends with it, on the state in `.aigc/prefect`.

Prefect's own temporary server imports the whole server in the parent first, outlives a kill -9 and
dies before the flow on Ctrl-C; this one is a child in its own process group, on a socket that it
inherits, and it ends when its stdin closes.
"""

from __future__ import annotations

import gc
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_models.errors import AigcError
from tasks.stage.databases import wait_for
from tasks.stage.owner import locked
from tasks.stage.settings import Workspace

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import State, StateType

GONE = "its process was killed; what was finished is kept, and the same command or the next run goes on from there"
TABLES = Path(__file__).with_name("prefect.sql")
STARTUP = 120.0  # seconds that the server may take on a slow machine
# The recorder writes one task event at a time unless told otherwise, and a server that stops loses the rest.
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
    "PREFECT_API_REQUEST_TIMEOUT": "120",
    "PREFECT_CLI_COLORS": "false",
}
# Kinds of blocks are for Prefect's page, whose server registers them; here they would cost a second.
EPHEMERAL = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}


def environment(workspace: Workspace) -> dict[str, str]:
    """The settings of Prefect by its variables; those that the user has set win."""
    home = workspace.state / "prefect"
    wanted = {**QUIET, "PREFECT_HOME": str(home), "PREFECT_LOCAL_STORAGE_PATH": str(home / "storage")}
    return {name: value for name, value in wanted.items() if name not in os.environ}


@dataclass
class Server:
    """The child and where it listens."""

    process: subprocess.Popen[bytes]
    url: str

    def stop(self) -> None:
        """Let it write what it has, then end it."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def importing() -> Iterator[None]:
    """No search for garbage meanwhile, which takes a fifth of an import's time, nor ever among what it leaves."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def make_database(workspace: Workspace) -> None:
    """The embedded server's database, where there is none yet: Prefect would take four seconds for its migrations.

    It is made under another name first, so that one whose making was killed is not taken for whole.
    """
    final = workspace.state / "prefect" / "prefect.db"
    with locked(workspace, "prefect"):
        if final.exists() or os.environ["PREFECT_HOME"] != str(final.parent):
            return
        part = final.with_suffix(".part")
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(part)) as database:
            database.executescript(f"BEGIN;{TABLES.read_text()}COMMIT;")
        part.replace(final)


def start(workspace: Workspace) -> Server:
    """Start the child at once; a request to it waits on the open socket until it is ready."""
    listening = socket.create_server(("127.0.0.1", 0))
    log = (workspace.state / "prefect" / "server.log").open("ab")
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.api", str(listening.fileno())],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        pass_fds=[listening.fileno()],
        start_new_session=True,
        env={**os.environ, **EPHEMERAL},
    )
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
    listening.close()
    log.close()
    return Server(process, url)


@contextmanager
def prefect_api(workspace: Workspace, meanwhile: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Within the block `PREFECT_API_URL` answers, and heartbeats cost nothing.

    `meanwhile` is called while the server starts, which takes seconds of another core.
    """
    os.environ.update(environment(workspace))
    (workspace.state / "prefect" / "storage").mkdir(parents=True, exist_ok=True)
    if os.environ.get("PREFECT_API_URL"):
        meanwhile()
        with without_heartbeat():
            yield
        return
    make_database(workspace)
    wait_for(workspace.state / "prefect" / "prefect.db")
    server = start(workspace)
    os.environ["PREFECT_API_URL"] = server.url
    try:
        meanwhile()
        wait_until_ready(server, workspace)
        with without_heartbeat():
            yield
    finally:
        _flush_logs()
        del os.environ["PREFECT_API_URL"]
        server.stop()


def _flush_logs() -> None:
    """Prefect sends logs in batches, from a thread that outlives the server."""
    from prefect.logging.handlers import APILogHandler

    APILogHandler().flush()


def wait_until_ready(server: Server, workspace: Workspace) -> None:
    import httpx

    try:
        httpx.get(f"{server.url}/health", timeout=STARTUP).raise_for_status()
    except httpx.HTTPError as error:
        log = workspace.relative(workspace.state / "prefect" / "server.log")
        raise AigcError(f"Prefect's server did not start: {error}; see {log}, or try `aigc doctor`") from error


@contextmanager
def without_heartbeat() -> Iterator[None]:
    """Each flow would wait up to a second for its heartbeat to end; the environment cannot unset it.

    The settings are read anew, since Prefect may have been imported before the environment was set.
    """
    from prefect.context import SettingsContext
    from prefect.settings import Settings

    current = SettingsContext.get()
    assert current is not None
    settings = Settings()
    quiet = settings.model_copy(update={"flows": settings.flows.model_copy(update={"heartbeat_frequency": None})})
    with SettingsContext(profile=current.profile, settings=quiet):
        yield


def sweep(alive: Callable[[str], bool], client: SyncPrefectClient) -> int:
    """Close what dead commands left open: runs whose tagged owner is no longer `alive`. How many."""
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
    from prefect.client.schemas.objects import StateType
    from prefect.states import Crashed

    open_states = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
    wanted = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=open_states)))
    closed = 0
    for run in client.read_flow_runs(flow_run_filter=wanted):
        owners = {tag.removeprefix("aigc.owner:") for tag in run.tags if tag.startswith("aigc.owner:")}
        if not owners or any(alive(owner) for owner in owners):
            continue
        crashed: State[Any] = Crashed(message=GONE)
        _close_tasks(client, run.id, open_states)
        client.set_flow_run_state(run.id, crashed, force=True)
        closed += 1
    return closed


def _close_tasks(client: SyncPrefectClient, flow_run_id: UUID, open_states: list[StateType]) -> None:
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterId,
        TaskRunFilter,
        TaskRunFilterState,
        TaskRunFilterStateType,
    )
    from prefect.states import Crashed

    tasks = client.read_task_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id])),
        task_run_filter=TaskRunFilter(state=TaskRunFilterState(type=TaskRunFilterStateType(any_=open_states))),
    )
    for task in tasks:
        client.set_task_run_state(task.id, Crashed(message="its process is gone"), force=True)


def main() -> None:
    """The child: serve Prefect's API on the inherited socket until stdin closes."""

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    with importing():
        import uvicorn
        from prefect.server.api.server import create_app

        from tasks.stage.addresses import clean_logs

        clean_logs()
        app = create_app()
    config = uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=3)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
