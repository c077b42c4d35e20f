"""What is kept of a data set that was refused."""

from __future__ import annotations

from tasks.dataset.refused import clear, file_of, keep
from tasks.dataset.tables import QUARANTINE, write
from tasks.stage.settings import Workspace


def test_the_rules_are_named_with_their_counts(tmp_path) -> None:
    workspace, table = Workspace(tmp_path), tmp_path / "quarantine.parquet"
    rows = {name: ["x", "y", "z"] for name in QUARANTINE} | {"rule": ["too_short", "empty", "too_short"]}
    said = keep(workspace, "notes", write(table, QUARANTINE, rows))
    assert said.startswith("; put aside were 2 too short (x: x), 1 empty (y: y); `aigc data items notes")
    assert file_of(workspace, "notes").read_bytes() == table.read_bytes()
    clear(workspace, "notes")
    clear(workspace, "notes")
    assert not file_of(workspace, "notes").exists()


def test_nothing_is_said_where_nothing_was_put_aside(tmp_path) -> None:
    table = write(tmp_path / "quarantine.parquet", QUARANTINE, {name: [] for name in QUARANTINE})
    assert keep(Workspace(tmp_path), "notes", table) == ""
    assert not file_of(Workspace(tmp_path), "notes").exists()
