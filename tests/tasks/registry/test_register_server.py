"""The same functions against a tracking server, which `MLFLOW_TRACKING_URI` alone chooses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.registry.bundles import resolve
from tasks.registry.history import history
from tasks.registry.promote import promote_version
from tasks.stage.settings import Workspace
from tasks.stage.tracking import prepare

pytestmark = pytest.mark.slow


def test_a_server_takes_the_place_of_the_embedded_store(
    mlflow_server: str, registrar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    here, elsewhere = Workspace(tmp_path / "here"), Workspace(tmp_path / "elsewhere")
    remote = type(registrar)(prepare(here), {})
    registered = remote.register("shared", 1, loss=0.5)
    promote_version(here, "shared", registered.version)
    assert not (here.state / "mlflow.db").exists()
    fetched = resolve(elsewhere, "shared")
    assert fetched == resolve(elsewhere, "shared@champion")
    assert fetched.is_relative_to(elsewhere.state)
    assert (fetched / "bundle.json").read_text() == (here.outputs / "shared-1" / "bundle.json").read_text()
    assert [entry.to_version for entry in history(elsewhere, "shared")] == [1]
    assert remote.tracker.client.get_run(registered.run_id).info.status == "FINISHED"
    assert capsys.readouterr() == ("", "")
