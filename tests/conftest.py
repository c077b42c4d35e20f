"""What holds for every test: no state outside the test's own folders, few threads."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tasks.settings import Workspace

# Prefect reads its settings when it is first imported, which may be at the collection of a test.
os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="aigc-prefect-"))
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
for name in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL", "AIGC_WORKSPACE", "AIGC_DEBUG"):
    os.environ.pop(name, None)


@pytest.fixture(scope="session")
def tracked_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with MLflow's empty database, copied from one that is made once for all workers:
    MLflow's migrations take seconds."""
    from tasks.owner import locked
    from tasks.tracking import client

    own = tmp_path_factory.getbasetemp()
    template = Workspace((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "mlflow").create()
    assert client(template)
    workspace = Workspace(Path(tmp_path_factory.mktemp("workspace"))).create()
    with locked(template, "mlflow"):
        shutil.copy(template.state / "mlflow.db", workspace.state)
    return workspace
