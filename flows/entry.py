"""How a flow begins that nobody typed: Prefect's page, `prefect deployment run` or a schedule gave it to a worker.

    @flow
    @entry
    def retrain(config: RetrainConfig) -> Retrained: ...

Inside a command of ours (`with orchestrated():`) or inside another flow, `entry` adds nothing but the check of
the arguments. In a worker's process it sets up what a command has: the workspace (`AIGC_WORKSPACE`, or else the
folder that the worker was started in), an owner that tells the living from the dead, the closing of what the
dead left open, progress in the run's log, and an end that is true in MLflow and in Prefect.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import wraps
from subprocess import Popen
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from tasks.stage.addresses import clean_logs
from tasks.stage.execution import Execution, Planned, become_current, under_way
from tasks.stage.settings import Workspace
from tasks.stage.validation import bad_input

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import FlowRun, StateType

Logger = logging.Logger | logging.LoggerAdapter[Any]
LONGEST = 2000  # characters of a result in the run's log
_guardians: list[Popen[bytes]] = []  # whose pipes stay open as long as this process lives
BIRTH = 600.0  # seconds that a run may take from its worker's hands to its first line
EVERY = 30.0  # seconds between two lines of progress of one stage in the run's log


def entry(function: Callable[..., Any]) -> Callable[..., Any]:
    """A flow's function that a command, Prefect's page and a schedule start alike; see the module's first lines.

    Its parameters are annotated with types that the module imports for real (Prefect draws the form from them);
    what the page sends as JSON arrives as those types, or the run fails with `BadInput` that names the field.
    """

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        given = typed(function, args, kwargs)
        if under_way():
            return function(*given.args, **given.kwargs)
        with ExitStack() as stack:
            execution = _begun(stack)
            try:
                result = function(*given.args, **given.kwargs)
                execution.observer.message(f"ended with {result!r}"[:LONGEST])
                return result
            except BaseException as error:
                execution.stopping.set()
                execution.observer.message(_farewell(error, execution))
                raise

    return wrapped


def typed(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> inspect.BoundArguments:
    """The arguments as what the function's annotations say; raises `BadInput`."""
    hints = get_type_hints(function)
    bound = inspect.signature(function).bind(*args, **kwargs)
    for name, value in bound.arguments.items():
        bound.arguments[name] = _as(hints.get(name, Any), value, f"{function.__name__}: {name}")
    return bound


def _as(kind: Any, value: Any, where: str) -> Any:
    if isinstance(value, Planned):
        return value
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise bad_input(error, kind if isinstance(kind, type) else BaseModel, where) from error


def _begun(stack: ExitStack) -> Execution:
    """An execution for the rest of this process; `stack` holds what ends with the flow."""
    from prefect import tags
    from prefect.client.orchestration import get_client
    from prefect.context import FlowRunContext
    from prefect.logging import get_run_logger

    from flows.api import without_heartbeat
    from flows.failures import require_room
    from flows.guardian import guard
    from flows.sweeping import swept
    from tasks.stage.owner import left_behind, owner

    clean_logs()
    workspace = Workspace.current().create()
    require_room()
    execution = Execution(workspace, observer=Logbook(get_run_logger()))
    deserted = left_behind(workspace)
    execution.owner = owner(workspace)
    _guardians.append(guard(execution))
    become_current(execution)
    stack.enter_context(without_heartbeat())
    stack.enter_context(tags(f"aigc.owner:{execution.owner}"))
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is not None:
        with get_client(sync_client=True) as client:
            client.update_flow_run(run.id, tags=sorted({*run.tags, f"aigc.owner:{execution.owner}"}))
            skip_missed(client, run, execution)
            close_never_started(client, run)
            execution.command = _command(client, run)
    if deserted:  # MLflow is imported for nothing else here: a retraining that is not due needs it not
        swept(execution, execution.tracker.sweep())
    return execution


def skip_missed(client: SyncPrefectClient, run: FlowRun, execution: Execution) -> None:
    """This run stands for every one of its schedule that was missed (no worker, a longer run): they are cancelled.

    Runs that somebody asked for stay, and so do those of a schedule with other parameters.
    """
    if not run.auto_scheduled or run.deployment_id is None:
        return
    from prefect.states import Cancelled

    missed = [other for other in _overdue(client, run) if other.auto_scheduled and other.parameters == run.parameters]
    for other in missed:
        state: Any = Cancelled(name="Skipped", message=f"missed; the run {run.name} stands for it")
        client.set_flow_run_state(other.id, state, force=True)
    if missed:
        execution.observer.message(f"{len(missed)} missed runs of this schedule are skipped; this one stands for them")


def close_never_started(client: SyncPrefectClient, run: FlowRun) -> int:
    """Close the deployment's runs whose worker was stopped between taking them and their beginning; how many."""
    from datetime import UTC, datetime, timedelta

    from prefect.client.schemas.objects import StateType
    from prefect.states import Crashed

    lately = datetime.now(UTC) - timedelta(seconds=BIRTH)
    stranded = [
        other
        for other in _runs(client, run, StateType.PENDING, StateType.RUNNING)
        if other.id != run.id
        and not any(tag.startswith("aigc.owner:") for tag in other.tags)
        and other.state is not None
        and other.state.timestamp < lately
    ]
    for other in stranded:
        state: Any = Crashed(message="its worker was stopped before it began; nothing was done")
        client.set_flow_run_state(other.id, state, force=True)
    return len(stranded)


def _overdue(client: SyncPrefectClient, run: FlowRun) -> list[FlowRun]:
    """The runs of the same deployment that should have begun by now and wait."""
    from datetime import UTC, datetime

    from prefect.client.schemas.filters import FlowRunFilterExpectedStartTime
    from prefect.client.schemas.objects import StateType

    until = FlowRunFilterExpectedStartTime(before_=datetime.now(UTC))
    return _runs(client, run, StateType.SCHEDULED, expected_start_time=until)


def _runs(client: SyncPrefectClient, run: FlowRun, *types: StateType, **more: Any) -> list[FlowRun]:
    """The runs of the same deployment in states of these types."""
    from prefect.client.schemas import filters

    if run.deployment_id is None:
        return []
    wanted = filters.FlowRunFilter(
        deployment_id=filters.FlowRunFilterDeploymentId(any_=[run.deployment_id]),
        state=filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=[*types])),
        **more,
    )
    runs: list[FlowRun] = []
    while page := client.read_flow_runs(flow_run_filter=wanted, limit=200, offset=len(runs)):
        runs += page
    return runs


def _command(client: SyncPrefectClient, run: FlowRun) -> str:
    """What starts the same again, but for its parameters."""
    name = client.read_flow(run.flow_id).name
    if run.deployment_id is None:
        return name
    return f"prefect deployment run '{name}/{client.read_deployment(run.deployment_id).name}'"


def _farewell(error: BaseException, execution: Execution) -> str:
    """What the log says at the end of a run that did not get through."""
    from flows.failures import explained

    if isinstance(error, Exception):
        return explained(error)[1]
    again = f"`{execution.command}` with the same parameters, or the next run of its schedule,"
    return f"stopped; what was finished is kept, and {again} goes on from there"


class Logbook:
    """Tells the log of a Prefect run what a terminal would show."""

    def __init__(self, logger: Logger, every: float = EVERY) -> None:
        self.logger, self.every = logger, every
        self._spoken: dict[str, float] = {}

    def stage_started(self, name: str) -> None:
        self._spoken[name] = time.monotonic()
        self.logger.info("%s begins", name)

    def progress(self, name: str, step: int, total: int, figures: dict[str, float]) -> None:
        if time.monotonic() - self._spoken.get(name, 0.0) < self.every:
            return
        self._spoken[name] = time.monotonic()
        self.logger.info("%s: %d of %d %s", name, step, total, " ".join(f"{key} {value:.4g}" for key, value in figures.items()))

    def stage_finished(self, name: str, seconds: float, cached: bool) -> None:
        self.logger.info("%s: %s", name, "cached" if cached else f"done in {seconds:.1f} s")

    def stage_failed(self, name: str, reason: str) -> None:
        self.logger.error("%s failed: %s", name, reason)

    def message(self, text: str) -> None:
        self.logger.info("%s", text)
