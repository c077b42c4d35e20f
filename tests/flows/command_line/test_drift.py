"""`aigc data drift`: what it prints, and how it ends."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from flows.command_line.drift import moves, show
from tasks.drift import drift as module
from tasks.drift.drift import Classified, Comparison, Drift
from tasks.version.statistics import adjusted, categories

RUNNER = CliRunner()


def drift_of(score: float | None, label: str = "a") -> Drift:
    labels = categories("label", {label: 50, "b": 50}, {label: 90, "b": 10})
    assert labels
    classifier = Classified(auc=0.7, low=0.65, high=0.75, encoder="plain") if score is not None else None
    part = Comparison(score=score, items=(100, 100), classifier=classifier, features=adjusted([labels]))
    about = {"dataset": "set", "modality": "text", "before": "aa", "after": "bb", "threshold": 0.1, "pieces": False}
    drifted = score is not None and score >= 0.1
    return Drift(**dict(part), **about, drifted=drifted, counts=(100, 120, 80), encoder="plain features of text", new=part)


@pytest.fixture
def app(monkeypatch):
    from flows.command_line.app import app

    asked = []

    def drift(workspace, name, before, after, settings):
        asked.append((name, before, after, settings))
        return drift_of(0.3)

    monkeypatch.setattr(module, "drift", drift)
    monkeypatch.setattr(module, "usual_before", lambda workspace, name, model: "aa")
    return app, asked


def test_labels_are_no_markup(capsys):
    show({**drift_of(0.3, "[/b]").model_dump(), "told": drift_of(0.3).summary})
    assert "[/b] 0.5 to 0.9" in " ".join(capsys.readouterr().out.split())


def test_the_table_names_what_moved(capsys):
    show({**drift_of(0.3).model_dump(), "told": drift_of(0.3).summary})
    output = " ".join(capsys.readouterr().out.split())
    assert "set aa to bb: drift 0.3 above 0.1" in output
    assert "80 of them in both, which count in both" in output
    assert "moved label" in output
    assert "a 0.5 to 0.9" in output
    show({**drift_of(None).model_dump(), "told": drift_of(None).summary})
    assert "too little to tell" in capsys.readouterr().out


def test_json_and_exit_status(app):
    command, asked = app
    done = RUNNER.invoke(command, ["data", "drift", "set", "--json", "--threshold", "0.2"])
    assert done.exit_code == 0, done.output
    value = json.loads(done.stdout)
    assert {"before", "after", "score", "threshold", "drifted", "features", "classifier"} <= value.keys()
    assert asked[0][1] == "aa"
    assert asked[0][3].threshold == 0.2
    assert RUNNER.invoke(command, ["data", "drift", "set", "aa", "--json", "--fail-on-drift"]).exit_code == 1
    assert RUNNER.invoke(command, ["data", "drift", "set", "--encoder", "mine"]).exit_code == 2


def test_the_largest_moves_come_first():
    feature = {"before": {"a": 0.5, "b": 0.5}, "after": {"a": 0.5, "b": 0.25, "c": 0.25}}
    assert moves(feature) == "b 0.5 to 0.25, c 0 to 0.25"
