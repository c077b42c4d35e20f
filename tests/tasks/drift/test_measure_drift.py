"""Drift before a retraining: measured against the champion's data, remembered where it is too little."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from aigc_models.errors import BadInput
from tasks.drift import measure_drift as module
from tasks.drift.drift import Drift, DriftSettings
from tasks.drift.measure_drift import measure_drift, remember, unmoved
from tasks.registry.changes import Details
from tasks.registry.due import Due, Seen, State
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext

DUE = Due(name="letters", due=True, reason="data: 20 new files", digest="", parts=("data",))


def drift_of(score: float) -> Drift:
    about = {"dataset": "letters", "modality": "text", "before": "aa", "after": "bb", "counts": (9, 9, 9), "new": None}
    part = {"score": score, "items": (9, 9), "classifier": None, "features": (), "pieces": False, "encoder": "plain"}
    return Drift(**about, **part, threshold=0.1, drifted=score >= 0.1)


def seen(data: str) -> Seen:
    return Seen(state=State(data=data, config="", code=""), details=Details(config={}, code={}, libraries=[]))


def test_a_state_that_had_not_moved_is_remembered(tmp_path):
    workspace, one = Workspace(tmp_path), seen("one")
    due = DUE.model_copy(update={"digest": one.state.digest})
    assert unmoved(workspace, due, 0.1) == due
    remember(workspace, "letters", one, drift_of(0.02), "20 new files, but drift 0.02 below 0.1")
    quiet = unmoved(workspace, due, 0.1)
    assert (quiet.due, quiet.reason) == (False, "20 new files, but drift 0.02 below 0.1")
    assert unmoved(workspace, due, None).due
    assert unmoved(workspace, due, 0.01).due, "it moved more than is asked for now"
    assert unmoved(workspace, DUE.model_copy(update={"digest": seen("two").state.digest}), 0.1).due


@pytest.fixture
def asked(tmp_path, monkeypatch):
    (tmp_path / "champion").mkdir()
    (tmp_path / "champion" / "bundle.json").write_text(json.dumps({"dataset": "letters", "version": "aa"}))
    calls = []

    def drift(workspace, name, before, after, settings):
        calls.append((name, before, after, settings.threshold))
        if after == "lost":
            raise BadInput("its listing is not in the cache")
        return drift_of(0.3)

    monkeypatch.setattr(module, "drift", drift)
    context = StageContext(tmp_path, Workspace(tmp_path))
    champion = SimpleNamespace(path=lambda workspace: tmp_path / "champion")

    def ask(dataset="letters", version="bb", champion=champion):
        data = SimpleNamespace(dataset=dataset, version=version)
        return measure_drift.plain(data, champion, DriftSettings(threshold=0.2), context=context)

    return SimpleNamespace(ask=ask, calls=calls, context=context, figures=context.figures)


def test_the_champions_data_are_what_is_compared_with(asked):
    assert asked.ask().score == 0.3
    assert asked.calls == [("letters", "aa", "bb", 0.2)]
    assert asked.figures == {"drift": 0.3, "drift_threshold": 0.1, "before": "aa", "after": "bb"}


def test_the_retrainings_own_run_keeps_the_drift(asked, monkeypatch):
    kept = {}
    store = SimpleNamespace(
        log_metric=lambda run, key, value: kept.update({(run, key): value}),
        set_tag=lambda run, key, value: kept.update({(run, key): value}),
    )
    monkeypatch.setattr("tasks.stage.tracking.client", lambda workspace: store)
    asked.context.parent_run_id = "parent"
    asked.ask()
    assert kept == {("parent", "drift"): 0.3, ("parent", "aigc.drift"): "drift 0.3 above 0.1 (aa to bb)"}


def test_what_cannot_be_compared_is_no_reason_to_stay(asked):
    assert asked.ask(champion=None) is None
    assert asked.ask(dataset="others") is None
    assert asked.ask(version="lost") is None
    assert "not in the cache" in asked.figures["drift_unknown"]
