"""A name without a champion ends a run with a model that serves: stages, registry and gates are real (see `letters`)."""

from __future__ import annotations

import pytest

from flows.config import PipelineConfig
from flows.pipeline import produce
from tasks.registry.history import history
from tasks.registry.register import aliases_of, resolve
from tasks.stage.tracking import client

pytestmark = pytest.mark.slow

IMPOSSIBLE = {"metric": "bits_per_byte", "reference": "baseline", "factor": 0.1}
COPIES = {"metric": "nearest_training_distance_ratio", "compare": "at_least", "guard": True}


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


def test_the_plain_method_serves_where_the_ensemble_is_refused_and_a_second_run_changes_nothing(letters):
    settings = config(letters, IMPOSSIBLE, {**COPIES, "offset": 0.01})
    first = produce(settings)
    assert (first.decision.decision, first.decision.alias) == ("promoted", "champion")
    assert first.decision.reason.startswith("the plain method ngram serves, since the ensemble (version 1) did not pass")
    assert [verdict.passed for verdict in first.decision.gates] == [False, True], "the ensemble's own verdicts are shown"
    assert aliases_of(client(letters.workspace), letters.name)["champion"] == first.registered.version == 2
    assert first.serving.weights == {"ngram": 1.0}
    bundle = resolve(letters.workspace, letters.name)
    assert [path.name for path in (bundle / "members").iterdir()] == ["ngram"]
    letters.made.clear()
    again = produce(settings)
    assert (again.registered.version, again.decision.decision) == (2, "promoted")
    assert not {"finetune", "build_ensemble", "evaluate", "register", "generate"} & set(letters.made)
    better = settings.model_copy(update={"promotion": settings.promotion.model_copy(update={"gates": ()})})
    assert produce(better).decision.version == 1, "an ensemble that passes takes the plain method's place"
    assert [line.action for line in history(letters.workspace, letters.name)][-1] == "promoted"


def test_a_plain_method_that_fails_a_guard_does_not_serve(letters):
    outcome = produce(config(letters, IMPOSSIBLE, {**COPIES, "offset": 1000.0}))
    assert outcome.decision.decision == "refused"
    assert "the plain method ngram (version 2) does not serve either" in outcome.decision.reason
    assert "champion" not in aliases_of(client(letters.workspace), letters.name)
