from __future__ import annotations

import json
from typing import Any

import pytest

from tasks.report import write_data_card as module
from tasks.report.write_data_card import learnt_from, moved, write_data_card


def test_the_champion_is_compared_or_where_it_learnt_from_these_data_the_one_before(registrar: Any) -> None:
    from tasks.registry.promote import promote_version

    name = "carded"
    assert learnt_from(registrar.workspace, name, name) == ""
    for number in (1, 2):
        registered = registrar.register(name, number, loss=0.5)
        promote_version(registrar.workspace, name, registered.version, "better")
    assert learnt_from(registrar.workspace, name, name) == "v2"
    assert learnt_from(registrar.workspace, name, name, but=2) == "v1"
    assert learnt_from(registrar.workspace, name, name, but=3) == "v2"
    assert learnt_from(registrar.workspace, "other data", name) == ""


def test_a_first_champion_has_none_before_it(registrar: Any) -> None:
    from tasks.registry.promote import promote_version

    registered = registrar.register("carded-first", 1, loss=0.5)
    promote_version(registrar.workspace, "carded-first", registered.version, "the first")
    assert learnt_from(registrar.workspace, "carded-first", "carded-first", but=registered.version) == ""


def test_the_page_tells_of_the_drift_or_why_there_is_none(history: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, (before, after) = history.workspace, history.versions
    assert learnt_from(workspace, "letters", "letters") == ""
    assert not workspace.database.exists()  # no registry is made for the question
    monkeypatch.setattr(module, "learnt_from", lambda *arguments: before)
    page = workspace.outputs / "run" / "data.html"
    data = write_data_card(workspace, "letters", after, page)
    document = json.loads(data.read_text(encoding="utf-8"))
    assert (document["drift"]["before"], document["drift"]["after"]) == (before, after)
    assert f"from version <code>{before}</code>" in page.read_text(encoding="utf-8")
    drift, note = moved(workspace, "letters", "forgotten1", after)
    assert drift is None
    assert note.startswith("The champion was trained on version forgotten1, with which this one cannot be compared: ")
    assert moved(workspace, "letters", after, after) == (None, f"The champion was trained on this very version, {after}.")
