"""Runs in MLflow: explicit run ids, batched writes, and an end state that is true.

MLflow's fluent interface keeps one active run a thread, which concurrent stages cross; so everything
here goes through `MlflowClient`. MLflow is imported when a tracker is first used (1.2 s), not before.
"""

from __future__ import annotations

import logging
import math
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tasks.stage.databases import wait_for
from tasks.stage.moved import artifacts_uri, settle
from tasks.stage.origin import origin
from tasks.stage.owner import alive, locked, owner
from tasks.stage.settings import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "aigc"
METRICS_A_BATCH = 1000  # MLflow's own limits
LONGEST_PARAM = 6000  # characters
OTHERS_A_BATCH = 100
FLUSH_SECONDS = 10.0  # a curve on MLflow's page is at most this old

Point = tuple[str, int, float, float]  # key, step, value, seconds since 1970
T = TypeVar("T")


def _chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def environment() -> None:
    """What MLflow must find in the environment before its import: no pickle, no noise, no telemetry."""
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    quiet = {
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        "DO_NOT_TRACK": "1",
    }
    for name, value in quiet.items():
        os.environ.setdefault(name, value)
    for name in ("alembic", "mlflow"):  # the latter for a process that had imported it already
        logging.getLogger(name).setLevel(logging.WARNING)


def client(workspace: Workspace) -> MlflowClient:
    """A client of the workspace's own tracking store, whatever MLflow's global state says.

    One process at a time, since making a client makes the database, which breaks when several do. Raises `AigcError` where
    another process holds the database for long.
    """
    environment()
    from mlflow import MlflowClient

    if workspace.tracking_uri == f"sqlite:///{workspace.database}":
        wait_for(workspace.database)
    with locked(workspace, "mlflow"):
        _make_database(workspace)
        return MlflowClient(workspace.tracking_uri)


def _make_database(workspace: Workspace) -> None:
    """The embedded database under another name first: one whose making was killed can never be opened again.

    One that came here with its workspace names its artifacts where that was.
    """
    from mlflow import MlflowClient

    final, part = workspace.database, workspace.database.with_suffix(".part")
    if not workspace.embedded:
        return
    if final.exists():
        settle(workspace)
        return
    for left in (part, part.with_name(f"{part.name}-journal")):
        left.unlink(missing_ok=True)
    with _unsynced():
        MlflowClient(f"sqlite:///{part}").search_experiments(max_results=1)
    with part.open("rb") as whole:
        os.fsync(whole.fileno())
    part.replace(final)


@contextmanager
def _unsynced() -> Iterator[None]:
    """SQLite does not wait for the disk: MLflow's hundreds of small migrations spend seconds on that."""
    from sqlalchemy import Engine, event

    def unsynced(connection: Any, record: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", unsynced)
    try:
        yield
    finally:
        event.remove(Engine, "connect", unsynced)


def _cut(value: str) -> str:
    """As long as MLflow takes it, which would say so for each and cut it as well."""
    return value if len(value) <= LONGEST_PARAM else f"{value[: LONGEST_PARAM - 40]}... ({len(value):,} characters)"


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as MLflow parameters; characters that MLflow refuses in a name become `_`.

    >>> flat({"plan": {"steps": 3}, "seed": 0})
    {'plan.steps': '3', 'seed': '0'}
    """
    out: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            out |= flat(value, f"{prefix}{key}.")
        else:
            out[re.sub(r"[^\w\-. :/]", "_", f"{prefix}{key}")[:250]] = str(value)
    return out


@dataclass
class Run:
    """One run, known by its id; every method may be called from any thread."""

    client: MlflowClient
    id: str
    experiment_id: str
    _points: list[Point] = field(default_factory=list)
    _flushed: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Parameters, nested ones as `a.b`; MLflow refuses to change one that is set."""
        from mlflow.entities import Param

        for chunk in _chunks([Param(key, _cut(value)) for key, value in flat(params).items()], OTHERS_A_BATCH):
            self.client.log_batch(self.id, params=chunk)

    def log_metrics(self, figures: Mapping[str, float], step: int = 0) -> None:
        """Figures of one step, written with the next batch."""
        now = time.time()
        self.log_curves((key, step, value, now) for key, value in figures.items())

    def log_curves(self, points: Iterable[Point]) -> None:
        """Points (key, step, value, seconds since 1970), written in batches: 300 single writes cost a second."""
        with self._lock:
            self._points.extend(points)
            due = len(self._points) >= METRICS_A_BATCH or time.monotonic() - self._flushed > FLUSH_SECONDS
        if due:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered; values that are no finite numbers are left out."""
        from mlflow.entities import Metric

        with self._lock:
            points, self._points, self._flushed = self._points, [], time.monotonic()
        finite = [Metric(key, value, int(when * 1000), step) for key, step, value, when in points if math.isfinite(value)]
        for chunk in _chunks(finite, METRICS_A_BATCH):
            self.client.log_batch(self.id, metrics=chunk)

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        self.client.log_artifact(self.id, str(path), folder)

    def log_artifacts(self, path: Path, folder: str | None = None) -> None:
        self.client.log_artifacts(self.id, str(path), folder)

    def log_text(self, text: str, name: str) -> None:
        self.client.log_text(self.id, text, name)

    def set_tag(self, key: str, value: str) -> None:
        self.client.set_tag(self.id, key, value)

    def log_dataset(self, name: str, digest: str, source: str, profile: Mapping[str, Any], context: str = "training") -> None:
        """The data that the run reads, as a dataset input; `digest` is its version, `profile` its counts."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        text = _json(profile)
        dataset = Dataset(name, digest[:36], source_type="local", source=_json({"uri": source}), schema=None, profile=text)
        self.client.log_inputs(self.id, [DatasetInput(dataset, [InputTag("mlflow.data.context", context)])])

    def end(self, status: str) -> None:
        """Write what is buffered and close the run as `status`: FINISHED, FAILED or KILLED."""
        try:
            self.flush()
        finally:
            self.client.set_terminated(self.id, status)


def _json(value: Any) -> str:
    import json

    return json.dumps(value, sort_keys=True, default=str)


@dataclass(frozen=True)
class Tracker:
    """The runs of one workspace in one experiment."""

    workspace: Workspace
    experiment: str = EXPERIMENT

    @cached_property
    def client(self) -> MlflowClient:
        return client(self.workspace)

    @cached_property
    def experiment_id(self) -> str:
        """Made by whoever comes first."""
        store = self.client
        with locked(self.workspace, "mlflow"):
            experiment = store.get_experiment_by_name(self.experiment)
            return experiment.experiment_id if experiment else store.create_experiment(self.experiment, self._artifacts())

    def _artifacts(self) -> str | None:
        """Beside the embedded database; a server has its own place for artifacts."""
        remote = self.workspace.tracking_uri.startswith(("http://", "https://"))
        return None if remote else artifacts_uri(self.workspace)

    @contextmanager
    def run(
        self,
        name: str,
        parent: str | None = None,
        tags: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Iterator[Run]:
        """A run that ends as FINISHED, as FAILED on an error and as KILLED on a signal."""
        run = self.start(name, parent, tags)
        try:
            run.log_params(params or {})
            yield run
        except Exception:
            run.end("FAILED")
            raise
        except BaseException:  # KeyboardInterrupt, SystemExit, Prefect's TerminationSignal
            run.end("KILLED")
            raise
        run.end("FINISHED")

    def start(self, name: str, parent: str | None = None, tags: Mapping[str, str] | None = None) -> Run:
        """Open a run, for a caller that ends it by itself."""
        links = {"mlflow.parentRunId": parent} if parent else {}
        everything = {**origin(), "aigc.owner": owner(self.workspace), **links, **(tags or {})}
        info = self.client.create_run(self.experiment_id, tags=everything, run_name=name).info
        return Run(self.client, info.run_id, self.experiment_id)

    def sweep(self) -> list[str]:
        """Close as KILLED what dead processes of this workspace left RUNNING; the ids of those runs."""
        open_runs = self.client.search_runs([self.experiment_id], "attributes.status = 'RUNNING'", max_results=1000)
        owners = {run.info.run_id: run.data.tags.get("aigc.owner", "") for run in open_runs}
        gone = {name for name in set(owners.values()) if name and not alive(self.workspace, name)}
        dead = [run_id for run_id, name in owners.items() if name in gone]
        for run_id in dead:
            self.client.set_terminated(run_id, "KILLED")
        return dead


def prepare(workspace: Workspace) -> Tracker:
    """A tracker whose database and experiment exist: call it once before any fan-out (first touch 1.7 s)."""
    tracker = Tracker(workspace.create())
    assert tracker.experiment_id
    return tracker


def sweep(workspace: Workspace) -> list[str]:
    """`Tracker.sweep` of a workspace that may never have tracked anything."""
    return prepare(workspace).sweep()
