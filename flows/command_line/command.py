"""What every command shares: how it ends, what it prints, and the services that it needs."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from aigc_models.reading.words import printable
from flows.failures import TERMINATED, brief, explained, require_room
from tasks.stage.addresses import clean_logs, without_secrets

if TYPE_CHECKING:
    from tasks.stage.execution import Execution


def debugging() -> bool:
    """Whether `--debug` (or AIGC_DEBUG=1) asks for tracebacks."""
    return bool(os.environ.get("AIGC_DEBUG"))


@contextmanager
def ending() -> Iterator[None]:
    """Turn errors into a message on stderr and an exit status; a traceback only with `--debug`.

    SIGTERM raises SystemExit(143) in the main thread, so that contexts close and what was started ends.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminated)
    clean_logs()
    try:
        yield
    except (typer.Exit, SystemExit):
        raise
    except BaseException as error:
        if debugging():
            print(without_secrets(traceback.format_exc()), file=sys.stderr)
        status, text = explained(error)
        text = without_secrets(text)
        text = text if debugging() else brief(text)
        print(printable(text), file=sys.stderr)  # a file's name may hold anything
        leave(status)


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)


def leave(status: int) -> NoReturn:
    raise typer.Exit(status)


def answer(value: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    """One JSON object on stdout, or what `show` prints for people."""
    if as_json:
        print(json.dumps(plain(value), sort_keys=True))
    else:
        show(value)


def plain(value: Any) -> Any:
    """Models as what JSON has."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


@contextmanager
def orchestrated() -> Iterator[Execution]:
    """An execution with Prefect's API and MLflow at hand; what dead commands left open is closed first."""
    from flows.api import prefect_api
    from flows.sweeping import swept
    from tasks.report.terminal import Terminal
    from tasks.stage.execution import Execution, executing
    from tasks.stage.owner import owner
    from tasks.stage.settings import Workspace

    workspace = Workspace.current().create()
    require_room()
    with Terminal() as terminal:
        execution = Execution(workspace, observer=terminal, owner=owner(workspace))
        terminal.message("starting Prefect's API and MLflow's store")
        closed: list[str] = []
        with executing(execution), prefect_api(workspace, meanwhile=lambda: closed.extend(warmed_up(execution))):
            swept(execution, closed)
            from prefect import tags

            with tags(f"aigc.owner:{execution.owner}"):
                yield execution


def warmed_up(execution: Execution) -> list[str]:
    """Import what the flows need (two seconds), and close in MLflow what dead commands left open; those runs."""
    from flows.api import importing

    with importing():
        import flows.pipeline

        assert flows.pipeline
        return execution.tracker.sweep()
