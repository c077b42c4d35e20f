"""One Prefect server for the flow tests of a run, on a workspace of its own."""

import hashlib
import os
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from zlib import crc32

import numpy as np
import pytest

WORDS = ["profit", "sales", "orders", "the", "in", "May", "of", "Oslo", "plant", "quarter"]
TOYS = str(Path(__file__).parents[1] / "tasks/stage")


@pytest.fixture(scope="session")
def workspace(tracked_workspace):
    """A workspace with Prefect's API up and the toy stages importable, here and in child interpreters."""
    from flows.api import prefect_api

    before = dict(os.environ)
    os.environ["PYTHONPATH"] = TOYS + os.pathsep + before.get("PYTHONPATH", "")
    os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
    sys.path.insert(0, TOYS)
    try:
        with prefect_api(tracked_workspace):
            yield tracked_workspace
    finally:
        sys.path.remove(TOYS)
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def execution(workspace):
    from tasks.stage.execution import Execution, executing

    with executing(Execution(workspace, cores=2)) as current:
        yield current


def letter(number: int) -> str:
    """A sentence that is near to no other."""
    digests = (hashlib.sha256(f"{number} {word}".encode()).hexdigest() for word in range(12))
    return " ".join(digest[:6] for digest in digests)


@pytest.fixture
def plain_flows(tracked_workspace, monkeypatch):
    """Flows and stages as plain functions, cached by their own keys; `made` has the names of the stages that were run."""
    from aigc_models.errors import Unreachable
    from flows import flow as flow_module
    from flows.flow import Flow
    from tasks.stage.execution import Execution, executing
    from tasks.stage.stage import Stage, StageContext

    workspace, results, made = tracked_workspace, {}, []

    def fail(error):
        raise error

    def submit(stage, *args, **kwargs):
        arguments = stage.arguments(args, kwargs)
        key = stage.key(arguments)
        if key not in results or not stage.cached:
            made.append(stage.name)
            folder = workspace.stages / key
            folder.mkdir(parents=True, exist_ok=True)
            try:
                with execution.tracker.run(stage.label(arguments)) as run:
                    results[key] = stage.plain(**arguments, context=StageContext(folder, workspace, run_id=run.id))
            except Unreachable as error:  # as of a task of Prefect, whoever asks for the result learns of it
                return SimpleNamespace(result=partial(fail, error))
        return SimpleNamespace(result=lambda: results[key])

    monkeypatch.setenv("AIGC_WORKSPACE", str(workspace.root))
    monkeypatch.setattr(Stage, "submit", submit)
    monkeypatch.setattr(Flow, "__call__", lambda flow, *args, **kwargs: flow.fn(*args, **kwargs))
    monkeypatch.setattr(flow_module, "_link", lambda run, execution: None)
    execution = Execution(workspace)
    with executing(execution):
        yield SimpleNamespace(workspace=workspace, made=made)


@pytest.fixture
def letters(request, plain_flows):
    """`plain_flows` with 120 letters in a folder."""
    name = f"again{crc32(request.node.name.encode())}"  # the workspace is that of all tests
    folder = plain_flows.workspace.root / "letters" / name
    folder.mkdir(parents=True)
    for number in range(120):
        (folder / f"{number:04}.txt").write_text(letter(number))
    return SimpleNamespace(workspace=plain_flows.workspace, folder=folder, made=plain_flows.made, name=name)


@pytest.fixture
def news(request, plain_flows):
    """Two hundred lines, each with a label that one of its words gives away."""
    name, random = f"news{crc32(request.node.name.encode())}", np.random.default_rng(0)
    labels = random.integers(0, 2, 200).tolist()
    lines = [" ".join([*random.choice(WORDS, 5), ("fell", "rose")[label], *random.choice(WORDS, 3)]) for label in labels]
    file = plain_flows.workspace.root / f"{name}.txt"
    file.write_text("".join(f"{line}@{('down', 'up')[label]}\n" for line, label in zip(lines, labels, strict=True)))
    return SimpleNamespace(workspace=plain_flows.workspace, file=file, made=plain_flows.made, name=name)
