"""A name without a champion ends a run with a model that serves: stages, registry and gates are real (see `letters`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows import promotion
from flows.config import PipelineConfig
from flows.pipeline import contend, produce
from flows.reproduction import ReproductionConfig, reproduce
from tasks.judge.choice import Choice
from tasks.registry.bundles import resolve
from tasks.registry.history import history
from tasks.registry.register import aliases_of
from tasks.stage.tracking import client

pytestmark = pytest.mark.slow

BETTER = {"metric": "bits_per_byte", "reference": "baseline", "factor": 0.1}
COPIES = {"metric": "nearest_training_distance_ratio", "compare": "at_least", "guard": True}
# what the ensemble cannot pass, and a model alone does, since it has no members
TOGETHER = {"metric": "bits_per_byte", "reference": "best_member", "factor": 0.1, "guard": True, "optional": True}


def config(letters, *gates) -> PipelineConfig:
    values = {
        "data": {"source": {"name": letters.name, "location": str(letters.folder), "modality": "text"}},
        "training": {
            "members": [{"family": "rnn", "size": "debug", "steps": 10}],
            "baseline": {"family": "ngram", "size": "debug"},
            "baseline_joins": True,
        },
        "evaluation": {"metrics": ["bits_per_byte", "nearest_training_distance_ratio"], "samples": 16, "shown": 1},
        "promotion": {"gates": gates},
        "generation": {"count": 2},
    }
    return PipelineConfig.model_validate(values)


@pytest.fixture
def choosing(monkeypatch):
    """Let the validation split choose a candidate that it would not."""

    def choose(name: str) -> None:
        made = Choice(chosen=name, best=name, metric="bits_per_byte", unit="", items=9, figures={"baseline": 2.0, name: 1.0})
        monkeypatch.setattr(promotion, "read_choice", lambda folder: made)

    return choose


def test_the_simplest_that_validation_cannot_tell_from_the_best_serves_and_a_second_run_changes_nothing(letters):
    settings = config(letters, BETTER, {**COPIES, "offset": 0.01})
    first = produce(settings)
    assert (first.decision.decision, first.decision.alias) == ("promoted", "champion")
    assert first.decision.reason.startswith("the plain method ngram serves: on validation ")
    assert [verdict.name for verdict in first.decision.gates] == ["nearest_training_distance_ratio at least 0.01"]
    folder = first.trained.evaluation.path(letters.workspace)
    choice, measured = (json.loads((folder / name).read_text()) for name in ("choice.json", "measurements.json"))
    assert list(choice["figures"]) == ["baseline", "rnn", "ensemble"], "the plain method is a member too, and stands once"
    assert choice["figures"]["rnn"] > choice["figures"]["baseline"], "ten steps teach a network nothing"
    assert choice["figures"]["baseline"] != measured["bits_per_byte"]["baseline"]["value"], "other items than those of the test"
    assert aliases_of(client(letters.workspace), letters.name)["champion"] == first.registered.version == 2
    assert first.serving.weights == {"ngram": 1.0}
    bundle = resolve(letters.workspace, letters.name)
    assert [path.name for path in (bundle / "members").iterdir()] == ["ngram"]
    letters.made.clear()
    again = produce(settings)
    assert (again.registered.version, again.decision.decision) == (2, "promoted")
    assert not {"finetune", "build_ensemble", "evaluate", "evaluate_alone", "register", "generate"} & set(letters.made)
    (line,) = history(letters.workspace, letters.name)
    assert (line.action, line.reason) == ("promoted", first.decision.reason), "the ledger says why, too"
    outcome = reproduce(ReproductionConfig(name=f"{letters.name}/2"))
    assert outcome.same, outcome
    assert outcome.files, "the version alone is made again, too"


def test_what_was_measured_of_a_candidate_is_its_evaluation(letters):
    outcome = produce(config(letters, {**COPIES, "offset": 0.01}))
    run = client(letters.workspace).get_model_version(letters.name, "2").run_id
    kept = client(letters.workspace).download_artifacts(run, "evaluation/metrics.json")
    figures = json.loads(Path(kept).read_text())["bits_per_byte"]
    folder = outcome.trained.evaluation.path(letters.workspace)
    measured = json.loads((folder / "measurements.json").read_text())["bits_per_byte"]
    assert figures["value"] == figures["baseline"] == measured["ngram"]["value"]
    assert figures["versus"].keys() == measured["baseline"]["versus"].keys()
    assert figures["best_member"] is None
    assert figures["items"] == 14
    assert figures["low"] < figures["value"] < figures["high"]


def test_a_member_that_was_chosen_serves_alone(letters, choosing):
    choosing("rnn")
    first = produce(config(letters, {**COPIES, "offset": 0.01}))
    assert first.decision.reason.startswith("the member rnn serves: on validation it is the best and each simpler one is told")
    assert first.serving.weights == {"rnn": 1.0}
    assert reproduce(ReproductionConfig(name=f"{letters.name}/2")).same


def test_an_ensemble_that_a_guard_refuses_gives_way_to_the_plain_method(letters, choosing):
    choosing("ensemble")
    first = produce(config(letters, TOGETHER))
    start = "the plain method ngram serves: version 1 was chosen on validation and refused, 1 of 1 gates failed"
    assert first.decision.reason.startswith(start)
    assert aliases_of(client(letters.workspace), letters.name)["champion"] == first.registered.version == 2


def test_gates_of_quality_do_not_refuse_where_there_is_nobody_to_be_worse_than(letters, choosing):
    choosing("ensemble")
    first = produce(config(letters, BETTER))
    assert (first.decision.decision, first.registered.version) == ("promoted", 1)
    assert first.decision.reason.startswith("the ensemble serves: on validation ")


def test_a_plain_method_that_fails_a_guard_does_not_serve(letters):
    outcome = produce(config(letters, {**COPIES, "offset": 1000.0}))
    assert outcome.decision.decision == "refused"
    assert outcome.decision.reason.startswith("1 of 1 gates failed: nearest_training_distance_ratio at least 1000")
    assert "champion" not in aliases_of(client(letters.workspace), letters.name)


def test_a_training_alone_promotes_nobody(letters):
    registered = contend(config(letters, {**COPIES, "offset": 0.01}))
    assert aliases_of(client(letters.workspace), letters.name) == {"challenger": registered.version}
