"""Where a data set comes from, as it is remembered."""

from __future__ import annotations

from pathlib import Path

from flows.config import DataConfig
from tasks.dataset.datasets import as_before, remember, settled
from tasks.ingest.source import SourceSettings
from tasks.stage.settings import Workspace


def test_what_is_kept_stays_so_until_the_contrary_is_said(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "1.txt").write_text("a line")
    source = settled(SourceSettings(name="logs", location=str(tmp_path / "logs"), keep=True))
    plain = source.model_copy(update={"keep": None})
    assert as_before(workspace, plain).keep is None
    remember(workspace, DataConfig(source=source))
    assert as_before(workspace, plain).keep is True
    assert as_before(workspace, source.model_copy(update={"keep": False})).keep is False
    assert as_before(workspace, plain.model_copy(update={"location": "/elsewhere"})).keep is None
