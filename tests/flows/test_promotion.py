"""Registration and promotion under Prefect, with its records, against MLflow's registry as it is."""

import hashlib
import json

import pytest

from flows.flow import flow, tracked
from tasks.registry.promote import PromotionSettings, history, promote
from tasks.registry.register import RegisterSettings, aliases_of, register
from tasks.stage.references import EnsembleRef, EvaluationRef
from tasks.stage.tracking import client


@pytest.fixture
def toys(execution):
    import toy_stages

    return toy_stages


@pytest.fixture
def decide(toys, execution):
    """Register and judge bundle `number` of a model, as each run of the pipeline does."""
    workspace = execution.workspace

    def decided(name: str, number: int):
        bundle, evaluation = (workspace.outputs / f"{name}-{number}-{kind}" for kind in ("bundle", "evaluation"))
        for folder in (bundle, evaluation):
            folder.mkdir(parents=True, exist_ok=True)
        card = {"dataset": name, "version": f"v{number}", "modality": "text", "family": "average", "labels": ["a"]}
        (bundle / "weights.safetensors").write_bytes(b"")
        digests = {"weights.safetensors": hashlib.sha256(b"").hexdigest()}
        (bundle / "bundle.json").write_text(json.dumps(card | {"digests": digests}))
        (evaluation / "metrics.json").write_text(json.dumps({"loss": {"value": 0.5, "baseline": 1.0}}))
        ensemble = EnsembleRef.to(workspace, bundle, method="average", modality="text", weights={})
        evaluated = EvaluationRef.to(workspace, evaluation, metrics={"loss": 0.5})

        @flow
        @tracked
        def deciding(config):
            registered = register(ensemble, evaluated, RegisterSettings(model=config.name))
            return registered, promote(registered, evaluated, PromotionSettings())

        execution.timings.clear()
        return deciding(toys.Toy(name=name))

    return decided


def test_a_version_that_was_deleted_is_registered_and_promoted_again(decide, execution):
    store = client(execution.workspace)
    first, _ = decide("comes-back", 1)
    assert decide("comes-back", 1)[0] == first
    assert [timing.cached for timing in execution.timings] == [True, False], "promote asks the registry each time"
    assert len(history(execution.workspace, "comes-back")) == 1
    store.delete_registered_model_alias("comes-back", "champion")
    store.delete_model_version("comes-back", str(first.version))
    registered, decision = decide("comes-back", 1)
    assert decision.decision == "promoted"
    assert registered.version == decision.version == aliases_of(store, "comes-back")["champion"]
    assert store.get_model_version("comes-back", str(registered.version)).tags["aigc.bundle_sha256"] == first.bundle_sha256


def test_a_registration_whose_version_holds_another_bundle_is_not_believed(decide, execution):
    first, _ = decide("other", 1)
    assert first.intact(execution.workspace)
    client(execution.workspace).set_model_version_tag("other", str(first.version), "aigc.bundle_sha256", "another")
    assert not first.intact(execution.workspace)
    registered, _ = decide("other", 1)
    assert registered.version == 2
