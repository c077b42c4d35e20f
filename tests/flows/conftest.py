"""One Prefect server for the flow tests of a run, on a workspace of its own."""

import os
import sys
from pathlib import Path

import pytest

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
