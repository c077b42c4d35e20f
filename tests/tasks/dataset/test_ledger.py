from __future__ import annotations

from pathlib import Path

import pytest

from tasks.dataset.ledger import Version, ledger, put_before, record
from tasks.stage.settings import Workspace


def made(name: str, dataset: str = "letters") -> Version:
    return Version(dataset=dataset, version=name, rows=3, splits={"train": 3}, tree=f"{name}.dir")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).create()


def test_lines_that_cannot_be_read_are_named_and_passed_over(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    record(workspace, made("a"))
    file = workspace.state / "versions.jsonl"
    newer = file.read_text().replace("{", '{"signature": "x", ', 1)
    file.write_text(file.read_text() + "<<<<<<< HEAD\n" + newer + '{"dataset": "letters"}\n{"dataset": "lett')
    assert ledger(workspace, "letters") == [made("a")]
    shown = capsys.readouterr().err
    for words in (
        "line 2 is a mark of a merge",
        "line 3 is of a newer release, since it has signature",
        "line 4 is not a version",
        "line 5 is not JSON, perhaps cut off",
        str(file),
    ):
        assert words in shown
    before = file.read_text()
    record(workspace, made("b"))
    assert ledger(workspace, "letters") == [made("a"), made("b")]
    assert file.read_text().startswith(before)
    assert capsys.readouterr().err == ""  # each is named once


def test_what_others_made_comes_before_what_lies_here(workspace: Workspace) -> None:
    record(workspace, made("b"))
    record(workspace, made("x", "others"))
    put_before(workspace, [made("a"), made("b"), made("c"), made("a")])
    assert ledger(workspace, "letters") == [made("a"), made("c"), made("b")]
    assert ledger(workspace, "others") == [made("x", "others")]
