"""One command under way: its workspace, who watches, what ran, whether it is to stop."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aigc_models.errors import AigcError
from tasks.stage.references import Reference, RegisteredRef, decode
from tasks.stage.settings import Workspace, allowed

if TYPE_CHECKING:
    from tasks.stage.tracking import Tracker


class Observer(Protocol):
    """Who is told what happens: the terminal, or nobody."""

    def stage_started(self, name: str) -> None: ...
    def progress(self, name: str, step: int, total: int, figures: dict[str, float]) -> None: ...
    def stage_finished(self, name: str, seconds: float, cached: bool) -> None: ...
    def stage_failed(self, name: str, reason: str) -> None: ...
    def message(self, text: str) -> None: ...


class Silent:
    """Watches nothing."""

    def stage_started(self, name: str) -> None:
        return None

    def progress(self, name: str, step: int, total: int, figures: dict[str, float]) -> None:
        return None

    def stage_finished(self, name: str, seconds: float, cached: bool) -> None:
        return None

    def stage_failed(self, name: str, reason: str) -> None:
        return None

    def message(self, text: str) -> None:
        return None


@dataclass(frozen=True)
class Timing:
    """A stage's own work, in seconds; `began` and `ended` are Unix times."""

    name: str
    seconds: float = 0.0
    began: float = 0.0
    ended: float = 0.0
    cached: bool = False
    reason: str = ""
    dataset: str = ""


@dataclass(frozen=True)
class Planned:
    """Stands for the output of a stage that would run; any field of it is planned too."""

    stage: str

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


class Stopped(AigcError):
    """The command was told to end."""


@dataclass
class Execution:
    """What the stages of one command share."""

    workspace: Workspace
    observer: Observer = field(default_factory=Silent)
    planning: bool = False
    parent_run_id: str = ""
    dataset: str = ""
    owner: str = ""
    command: str = field(default_factory=lambda: " ".join(["aigc", *sys.argv[1:]]))
    cores: int = field(
        default_factory=lambda: len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    timings: list[Timing] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    report: Any = None
    expected: dict[str, Any] = field(default_factory=dict)  # what each data set's run takes, under `aigc plan`
    fresh: str = ""  # not empty: what takes a process of its own is made anew, kept apart from what was made before
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free: list[int] = field(default_factory=list)
    _freed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._free.append(self.cores)

    def holding_cores(self, count: int) -> AbstractContextManager[None]:
        """Wait for `count` cores (at most all of them) and keep them for the length of the block."""
        return _held(self._freed, min(count, self.cores), self._free, self.stopping)

    @classmethod
    def current(cls) -> Execution:
        """The command's own (see `flows/entry.py` for a Prefect worker's), or a silent one."""
        if _current:
            return _current[-1]
        if not _silent:
            _silent.append(cls(Workspace.current()))
        return _silent[-1]

    @cached_property
    def tracker(self) -> Tracker:
        from tasks.stage.tracking import Tracker

        return Tracker(self.workspace)

    def ran(self, timing: Timing) -> None:
        with self._lock:
            self.timings.append(timing)
        self.observer.stage_finished(timing.name, timing.seconds, timing.cached)

    def raise_if_stopped(self) -> None:
        if self.stopping.is_set():
            raise Stopped("stopped; the same command goes on from here")

    @property
    def results(self) -> Path:
        """Where Prefect keeps the results of tasks, one file a cache key."""
        return self.workspace.state / "prefect" / "storage"

    def recorded(self, key: str) -> Reference | RegisteredRef | None:
        """The reference that a finished stage left under `key`, if its output is intact.

        A record whose output is missing or altered is removed, so that the stage runs again.
        """
        file = self.results / key
        if not file.exists():
            return None
        try:
            result = _result_in(file.read_bytes())
            if result.intact(self.workspace):
                return result
            why = "its output is missing or was altered"
        except (OSError, ValueError, KeyError, TypeError, ImportError, AttributeError) as error:
            why = f"its record cannot be read, perhaps since another version of the program made it ({error})"
        if not self.planning:
            self.observer.message(f"{key}: {why}; it runs again")
            with allowed(file):
                file.unlink(missing_ok=True)
        return None

    def work_seconds(self) -> float:
        """Wall time in which at least one stage's own function was at work."""
        total, end = 0.0, 0.0
        for timing in sorted((t for t in self.timings if t.ended), key=lambda t: t.began):
            total += max(0.0, timing.ended - max(timing.began, end))
            end = max(end, timing.ended)
        return total


def _result_in(record: bytes) -> Reference | RegisteredRef:
    """What Prefect's record of a stage holds; raises one of many errors where this program did not write it so."""
    content = json.loads(record)
    if content["metadata"]["serializer"]["type"] != "json":
        raise ValueError("it is not JSON")
    result = decode(json.loads(content["result"]))
    if not isinstance(result, (Reference, RegisteredRef)):
        raise ValueError(f"it holds a {type(result).__name__}")
    return result


@contextmanager
def _held(condition: threading.Condition, count: int, free: list[int], stopping: threading.Event) -> Iterator[None]:
    with condition:
        while free[0] < count:
            condition.wait(0.2)
            if stopping.is_set():
                raise Stopped("stopped; the same command goes on from here")
        free[0] -= count
    try:
        yield
    finally:
        with condition:
            free[0] += count
            condition.notify_all()


_current: list[Execution] = []  # one command a process; threads of task runners share it
_silent: list[Execution] = []  # what `Execution.current` falls back on


def under_way() -> bool:
    """Whether a command, or a flow in a worker's process, has made its execution the current one."""
    return bool(_current)


def become_current(execution: Execution) -> None:
    """Make it the current one for the rest of the process, whose threads may outlive the flow's function."""
    _current.append(execution)


@contextmanager
def executing(execution: Execution) -> Iterator[Execution]:
    """Make it the current one."""
    _current.append(execution)
    try:
        yield execution
    finally:
        _current.remove(execution)
