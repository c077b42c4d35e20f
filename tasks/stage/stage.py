"""The one place where a plain function becomes a Prefect task: cache key, check of the cached
output, MLflow child run with its true end state, timing, stop flag.

    @stage
    def finetune(data: CorpusRef, member: MemberSettings, context: StageContext) -> ModelRef: ...

In a flow, `finetune(data, member)` runs the task and `finetune.submit(...)` runs it beside others;
a test calls `finetune.plain(data, member, context=StageContext(folder))`. Arguments and results are
references and frozen settings: small, typed, JSON.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from aigc_models.errors import AigcError, Unreachable
from aigc_models.heads import GENERATE
from tasks.stage import forks
from tasks.stage.addresses import clean, clean_errors
from tasks.stage.code_version import code_version
from tasks.stage.context import StageContext
from tasks.stage.execution import Execution, Planned, Timing
from tasks.stage.joined import made_once
from tasks.stage.process import run_here, run_in_process, threads_of
from tasks.stage.references import CorpusRef, Reference, VersionRef
from tasks.stage.settings import make_writable
from tasks.stage.system_metrics import hardware, sampled

if TYPE_CHECKING:
    from tasks.stage.tracking import Run

UNKEYED = ("threads", "limit")
PAUSES = (1.0, 5.0, 20.0)  # seconds before a further attempt


def key_of(value: object) -> object:
    """What of an argument the result depends on: a reference's digest, a setting's every field but `threads`
    (see `Stage.key`) and `limit`, a time after which a training stops and can go on."""
    if isinstance(value, Reference):
        task = getattr(value, "task", GENERATE)  # the same arrays are learnt for another task
        return [type(value).__name__, value.sha256, getattr(value, "dataset", ""), *([task] if task != GENERATE else [])]
    if isinstance(value, BaseModel):
        return {name: key_of(getattr(value, name)) for name in type(value).model_fields if name not in UNKEYED}
    if isinstance(value, Mapping):
        return {str(key): key_of(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [key_of(item) for item in value]
    return value


def _texts(values: Iterable[object], field: str) -> list[str]:
    """The texts that those of the values have there that have any."""
    attributes = (getattr(value, field, None) for value in values)
    return [text for text in attributes if isinstance(text, str)]


@dataclass(frozen=True)
class Stage:
    """`process`: run in an interpreter of its own, so that its memory and random state are its own.
    `fingerprint` adds to the cache key what the arguments do not show (the state of a source).
    `retries`: further attempts where something outside did not answer (`Unreachable`, or caused by one).
    `cached=False` is for what acts on the world or asks it (a promotion, a report, which version is champion): it is done
    each time that it is called, and its result is kept nowhere."""

    plain: Callable[..., Any]
    process: bool = False
    cached: bool = True
    fingerprint: Callable[..., str] | None = None
    retries: int = 0

    @property
    def name(self) -> str:
        return self.plain.__name__

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        bound = inspect.signature(self.plain).bind_partial(*args, **kwargs)
        bound.apply_defaults()
        return {name: value for name, value in bound.arguments.items() if name != "context"}

    def key(self, arguments: Mapping[str, Any]) -> str:
        """The cache key: digests of the inputs, the settings and the code.

        The number of threads counts for a stage with a process of its own, as it is on this machine: gradients and
        sums are rounded another way. Other stages make the same with any number.
        """
        parts = {
            "stage": self.name,
            "arguments": {name: key_of(value) for name, value in arguments.items()},
            "source": self.fingerprint(**arguments) if self.fingerprint else "",
            "threads": threads_of(arguments, Execution.current().cores) if self.process else 0,
            "code": code_version([self.plain.__module__], dict(arguments)),
        }
        if self.process and Execution.current().fresh:
            parts["fresh"] = Execution.current().fresh
        return f"{self.name}-{hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]}"

    def is_cached(self, *args: Any, **kwargs: Any) -> bool:
        """Whether its output for these arguments is there already."""
        return Execution.current().recorded(self.key(self.arguments(args, kwargs))) is not None

    def label(self, arguments: Mapping[str, Any]) -> str:
        """How the stage is called in the terminal and in the tools' pages: `finetune gan`."""
        models = [value for value in arguments.values() if isinstance(value, BaseModel) and not isinstance(value, Reference)]
        sets, names = _texts(arguments.values(), "dataset"), _texts(models, "name")
        return " ".join([self.name.replace("_", " "), *sets[:1], *names[:1]])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.submit(*args, **kwargs).result()

    def submit(self, *args: Any, **kwargs: Any) -> Result:
        """Start it; `.result()` waits for the reference, or raises what the function raised."""
        execution = Execution.current()
        arguments = self.arguments(args, kwargs)
        if execution.planning:
            return Result(self, arguments, planned=self._plan(execution, arguments))
        storage = {}
        if self.cached:
            make_writable(execution.results)
            storage["result_storage"] = execution.results
        future = self._task.with_options(task_run_name=self.label(arguments), **storage).submit(**arguments)
        return Result(self, arguments, future=future)

    def _plan(self, execution: Execution, arguments: dict[str, Any]) -> Any:
        """What stands in the cache, or a note that the stage would run."""
        flat = [item for value in arguments.values() for item in (value if isinstance(value, (list, tuple)) else [value])]
        waits = any(isinstance(item, Planned) for item in flat)
        recorded = None
        if not waits and self.cached:
            recorded = execution.recorded(self.key(arguments))
        fresh = "no output yet for this input, these settings and this code" if self.cached else "acts anew each time"
        reason = "cached" if recorded is not None else "an input of it will be made first" if waits else fresh
        execution.timings.append(
            Timing(self.label(arguments), cached=recorded is not None, reason=reason, dataset=execution.dataset)
        )
        return recorded if recorded is not None else Planned(self.name)

    @cached_property
    def _task(self) -> Any:
        from prefect import task
        from prefect.cache_policies import NO_CACHE

        def run(*args: Any, **kwargs: Any) -> Any:
            return self._run(self.arguments(args, kwargs))

        run.__name__ = self.name
        run.__doc__ = self.plain.__doc__
        signature = inspect.signature(self.plain)
        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[parameter for parameter in signature.parameters.values() if parameter.name != "context"]
        )
        # without being told otherwise Prefect answers a second call in the same run from the first, by a pickle
        options: dict[str, Any] = {"persist_result": False, "cache_policy": NO_CACHE}
        if self.cached:
            options = {"persist_result": True, "result_serializer": "json", "cache_key_fn": self._cache_key}
        if self.retries:
            options |= {"retries": self.retries, "retry_delay_seconds": list(PAUSES), "retry_condition_fn": unanswered}
        return task(name=self.name, description=(self.plain.__doc__ or "").split("\n")[0], **options)(run)

    @clean_errors()
    def _cache_key(self, context: Any, parameters: dict[str, Any]) -> str:
        """Prefect trusts a record whose output is gone; here such a record is dropped first."""
        key = self.key(parameters)
        Execution.current().recorded(key)
        return key

    @clean_errors()
    def _run(self, arguments: dict[str, Any]) -> Any:
        execution = Execution.current()
        execution.raise_if_stopped()
        key = self.key(arguments)
        folder = execution.workspace.stages / key
        make_writable(folder)
        if not self.cached:
            return self._made(arguments, key, folder, execution)
        result, joined = made_once(folder, execution, lambda: self._made(arguments, key, folder, execution))
        if joined:
            label = self.label(arguments)
            execution.ran(Timing(label, cached=True, reason="another command made it", dataset=execution.dataset))
        return result

    def _made(self, arguments: dict[str, Any], key: str, folder: Path, execution: Execution) -> Any:
        label = self.label(arguments)
        execution.observer.stage_started(label)
        if self.process or (self.cached and execution.parent_run_id):  # in a run, what is made anew is learnt from
            forks.begin()
        tags = {"aigc.stage": self.name, "aigc.key": key, **(hardware() if self.process else {}), **prefect_tags()}
        settings = {name: value.model_dump(mode="json") for name, value in arguments.items() if isinstance(value, BaseModel)}
        tracked = execution.tracker.run(label, execution.parent_run_id or None, tags, settings)
        with tracked as run, sampled(run, wanted=self.process):
            context = StageContext(
                folder, execution.workspace, run.id, execution.parent_run_id, stopped=execution.stopping.is_set
            )

            def report(step: int, total: int, **figures: float) -> None:
                run.log_metrics(figures, step)
                execution.observer.progress(label, step, total, figures)

            context.on_progress = report
            for data in arguments.values():
                if isinstance(data, (VersionRef, CorpusRef)):
                    run.log_dataset(data.dataset, data.version, f"data/{data.dataset}", data.splits, self.name)
            result, began, ended = self._call(arguments, context, execution)
            record(run, context)
        execution.ran(Timing(label, ended - began, began, ended, dataset=execution.dataset))
        return result

    def _call(self, arguments: dict[str, Any], context: StageContext, execution: Execution) -> Any:
        try:
            return (run_in_process if self.process else run_here)(self.plain, arguments, context, execution)
        except Exception as error:
            clean(error)
            if not (isinstance(error, AigcError) and execution.stopping.is_set()):
                execution.observer.stage_failed(self.label(arguments), str(error) or type(error).__name__)
                raise
            from prefect.exceptions import TerminationSignal

            raise TerminationSignal(signal.SIGTERM) from error


@dataclass
class Result:
    """A stage under way, or planned."""

    stage: Stage
    arguments: dict[str, Any]
    future: Any = None
    planned: Any = None

    def result(self) -> Any:
        if self.future is None:
            return self.planned
        execution = Execution.current()
        self.future.wait()
        state = self.future.state
        if state.name == "Cached":
            execution.ran(Timing(self.stage.label(self.arguments), cached=True, reason="cached", dataset=execution.dataset))
        return self.future.result()


def stage(plain: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Make a stage of a plain function; see `Stage` for the options."""
    return Stage(plain, **options) if plain else lambda function: Stage(function, **options)


def record(run: Run, context: StageContext) -> None:
    """What a stage's function recorded: numbers as metrics, texts as parameters, files as artifacts."""
    numbers = {name: float(value) for name, value in context.figures.items() if isinstance(value, (int, float))}
    run.log_metrics(numbers)
    run.log_params({name: value for name, value in context.figures.items() if name not in numbers})
    for path in map(Path, context.attached):
        run.log_artifacts(path, path.name) if path.is_dir() else run.log_artifact(path)


def unanswered(task: Any, run: Any, state: Any) -> bool:
    """Whether an attempt failed since something outside did not answer; what is wrong in itself is not tried again."""
    error = state.result(raise_on_failure=False)
    while isinstance(error, BaseException):
        if isinstance(error, Unreachable):
            return True
        error = error.__cause__
    return False


def prefect_tags() -> dict[str, str]:
    """The way from an MLflow run to its Prefect runs."""
    from prefect.runtime import flow_run, task_run

    return {"prefect.flow_run_id": str(flow_run.id or ""), "prefect.task_run_id": str(task_run.id or "")}
