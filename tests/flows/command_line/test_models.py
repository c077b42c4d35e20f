"""`aigc models` as a script calls it: one JSON object on stdout."""

import json

import pytest
from typer.testing import CliRunner

from aigc_models.reading.bundle_files import CARD, WEIGHTS, sha256
from flows.command_line.app import app


def bundle(tmp_path_factory, number):
    """A folder whose files are those of its card."""
    folder = tmp_path_factory.getbasetemp() / f"cli{number}" / "bundle"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(bytes([number]))
    (folder / CARD).write_text(json.dumps({"digests": {WEIGHTS: sha256(folder / WEIGHTS)}}))
    return folder


@pytest.fixture
def models(tracked_workspace, tmp_path_factory, monkeypatch):
    """Run `aigc models ...`; the registry knows three versions of `cli`, whose figures get better."""
    from tasks.registry.bundles import stated_digest
    from tasks.stage.tracking import prepare

    monkeypatch.setenv("AIGC_WORKSPACE", str(tracked_workspace.root))
    tracker = prepare(tracked_workspace)
    if "cli" not in {model.name for model in tracker.client.search_registered_models()}:
        tracker.client.create_registered_model("cli", {"aigc.modality": "text"})
        for number in (1, 2, 3):
            run = tracker.start(f"register {number}")
            run.end("FINISHED")
            tags = {"aigc.metrics": json.dumps({"loss": 1 / number}), "aigc.data_version": f"v{number}"}
            tags |= {"aigc.bundle": "bundle", "aigc.bundle_sha256": stated_digest(bundle(tmp_path_factory, number))}
            tracker.client.create_model_version("cli", bundle(tmp_path_factory, number).parent.as_uri(), run.id, tags)

    def call(*arguments, status=0):
        done = CliRunner().invoke(app, ["models", *arguments])
        assert done.exit_code == status, done.output
        return done.stdout if status == 0 else done.stderr

    return call


def test_the_way_of_a_version_in_json(models, tracked_workspace):
    from tasks.registry.history import record
    from tasks.stage.tracking import client

    assert json.loads(models("promote", "cli", "1", "--json"))["to_version"] == 1
    store = client(tracked_workspace)
    for number, verdict in ((2, "approve"), (3, "reject")):
        store.set_registered_model_alias("cli", "challenger", str(number))
        record(store, "cli", "awaiting_approval", 1, number, "all 2 gates passed")
        entry = json.loads(models(verdict, "cli", "--reason", "looked at it", "--json"))
        assert entry["action"] == {"approve": "promoted", "reject": "rejected"}[verdict]
        assert entry["reason"].endswith(": looked at it")
    assert json.loads(models("rollback", "cli", "--json"))["to_version"] == 1
    actions = [entry["action"] for entry in json.loads(models("history", "cli", "--json"))["history"]]
    assert actions == ["promoted", "awaiting_approval", "promoted", "awaiting_approval", "rejected", "rolled_back"]
    assert json.loads(models("show", "cli@champion", "--json"))["versions"][0]["version"] == 1
    assert {model["name"] for model in json.loads(models("list", "--json"))["models"]} >= {"cli"}


def test_a_comparison_in_json_and_in_words(models):
    comparison = json.loads(models("compare", "cli", "1", "2", "--json"))
    assert [(row["metric"], row["a"], row["b"], row["difference"]) for row in comparison["metrics"]] == [
        ("loss", 1.0, 0.5, -0.5)
    ]
    table = models("compare", "cli", "1", "2")
    assert "−0.500" in table
    assert "no gate is known of either" in table


def test_what_does_not_wait_cannot_be_approved(models):
    assert "no version of cli waits for approval" in models("approve", "cli", status=2)


def test_a_licence_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    from types import SimpleNamespace

    from flows.command_line.models import _show_model

    _show_model(SimpleNamespace(name="it's", modality="text", licence="mine [/x]", versions=[], warnings=[]))
    assert "it's  text  licence of the data: mine [/x]" in capsys.readouterr().out
