"""Prefect's flow, which can also be planned: then nothing runs and each stage says whether it would."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

import prefect
from prefect.task_runners import ThreadPoolTaskRunner

from tasks.stage.addresses import clean, without_secrets
from tasks.stage.execution import Execution
from tasks.stage.stage import prefect_tags

if TYPE_CHECKING:
    from prefect.futures import PrefectFuture
    from prefect.task_runners import TaskRunner

    from tasks.stage.tracking import Run


class Flow(prefect.Flow[..., Any]):
    """A flow whose call under `aigc plan` is the plain function's call."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if Execution.current().planning:
            return self.fn(*args, **kwargs)
        return super().__call__(*args, **kwargs)


def stopping_on_exit(function: Callable[..., Any]) -> Callable[..., Any]:
    """An error or a signal in the flow asks the stages that are under way to save and end, before Prefect waits for them
    and keeps the error's message."""

    @wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            Execution.current().stopping.set()
            clean(error)
            raise

    return wrapped


def tracked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The flow has an MLflow run, the parent of its stages' runs; both sides know each other's id.

    The flow's first argument is its configuration, whose `name` names the run.
    """

    @wraps(function)
    def wrapped(config: Any, *arguments: Any) -> Any:
        execution = Execution.current()
        if execution.planning:
            return function(config, *arguments)
        before = execution.parent_run_id
        with execution.tracker.run(config.name, before or None, {"aigc.flow": function.__name__, **prefect_tags()}) as run:
            execution.parent_run_id = run.id
            run.log_text(config.model_dump_json(indent=1), "config.json")
            _link(run, execution)
            try:
                return function(config, *arguments)
            finally:
                execution.parent_run_id = before

    return wrapped


def of_dataset(function: Callable[..., Any]) -> Callable[..., Any]:
    """The stages of the flow belong to the data set that its configuration names."""

    @wraps(function)
    def wrapped(config: Any, *arguments: Any) -> Any:
        execution = Execution.current()
        execution.dataset = config.name
        try:
            return function(config, *arguments)
        finally:
            execution.dataset = ""

    return wrapped


def _link(run: Run, execution: Execution) -> None:
    """Prefect's page shows where the figures are."""
    from prefect.artifacts import create_markdown_artifact

    create_markdown_artifact(
        f"MLflow run `{run.id}` in `{without_secrets(execution.workspace.tracking_uri)}`; `aigc ui` opens both pages.",
        key="mlflow-run",
        description="the run that holds this flow's figures",
    )


def flow(function: Callable[..., Any]) -> Flow:
    """Make a flow of a function whose body only calls flows and stages."""
    runner = cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=16))  # invariant in Prefect's types
    return Flow(stopping_on_exit(function), name=function.__name__, validate_parameters=False, task_runner=runner)
