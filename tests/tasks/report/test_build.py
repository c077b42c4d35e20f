import json
from pathlib import Path

import pytest

from tasks.report import build as module
from tasks.report.build import build
from tasks.report.contents import Report


def test_both_files_are_written_and_nothing_else(report: Report, tmp_path: Path) -> None:
    page = build(report, tmp_path / "outputs" / "run")
    assert page == tmp_path / "outputs" / "run" / "index.html"
    assert sorted(path.name for path in page.parent.iterdir()) == ["index.html", "report.json"]
    assert json.loads((page.parent / "report.json").read_text())["run"] == report.run
    assert report.run in page.read_text(encoding="utf-8")


def test_a_page_that_fails_leaves_the_old_one(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index.html").write_text("old")

    def broken(report: Report) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "render", broken)
    with pytest.raises(ZeroDivisionError):
        build(report, tmp_path)
    assert (tmp_path / "index.html").read_text() == "old"
