"""A version made again: stages, registry and data versions are real, Prefect is left out (see `letters`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from flows.config import PipelineConfig
from flows.pipeline import contend
from flows.reproduction import ReproductionConfig, reproduce
from tasks.dataset.ledger import ledger
from tasks.registry.register import find_version
from tasks.registry.version_recipe import kept
from tasks.stage.references import encode
from tasks.stage.tracking import client

pytestmark = pytest.mark.slow


def config(name: str, folder: Path) -> PipelineConfig:
    values = {
        "data": {"source": {"name": name, "location": str(folder), "modality": "text"}},
        "training": {
            "budget": 2.0,
            "members": [{"family": "rnn", "size": "debug"}, {"family": "transformer", "size": "debug", "steps": 5}],
            "baseline": {"family": "ngram", "size": "debug"},
            "baseline_joins": True,
        },
        "evaluation": {"metrics": ["bits_per_byte"], "samples": 16, "shown": 1},
    }
    return PipelineConfig.model_validate(values)


def test_a_version_made_by_a_budget_is_made_again_from_its_steps_alone(letters):
    settings = config(letters.name, letters.folder)
    registered = contend(settings)
    first = ledger(letters.workspace, letters.name)[-1].version
    recipe = kept(client(letters.workspace), find_version(client(letters.workspace), f"{letters.name}/{registered.version}"))
    members = {member["family"]: member for member in recipe.config["training"]["members"]}
    assert members["rnn"]["steps"] >= 10
    assert "seconds" not in members["rnn"]
    assert members["transformer"]["steps"] == 5
    assert recipe.config["data"]["version"] == first
    (letters.folder / "new.txt").write_text("a letter that came afterwards, of another kind altogether")
    contend(settings)  # the data have moved on
    newest = ledger(letters.workspace, letters.name)[-1].version
    assert newest != first
    (letters.workspace.state / "speeds.json").unlink()  # a machine that never timed anything
    letters.made.clear()
    outcome = reproduce(ReproductionConfig(name=f"{letters.name}/{registered.version}"))
    assert outcome.same, outcome
    assert outcome.files >= 4
    assert outcome.notes == ()
    assert letters.made.count("finetune") == 3, "all is trained anew"
    assert "register" not in letters.made
    assert "measure_speed" not in letters.made
    assert ledger(letters.workspace, letters.name)[-1].version == newest, "the data are left as they stood"
    altered = recipe.model_copy(deep=True)
    altered.config["training"]["members"][1]["steps"] = 6
    store = client(letters.workspace)
    run_id = find_version(store, f"{letters.name}/{registered.version}").run_id
    store.log_text(run_id, json.dumps(encode(altered)["data"]), "recipe.json")
    outcome = reproduce(ReproductionConfig(name=f"{letters.name}/{registered.version}"))
    assert not outcome.same
    assert any("transformer" in name for name in outcome.differing)
    assert not any("rnn" in name for name in outcome.differing)
    for text, message in (
        (json.dumps({**recipe.model_dump(), "format_version": 9}), r"is of format 9, and this program reads up to 2"),
        (json.dumps({"cores": 1}), r"the recipe of again\d+/\d+ cannot be read: Field required"),
    ):
        store.log_text(run_id, text, "recipe.json")
        with pytest.raises(BadInput, match=message):
            reproduce(ReproductionConfig(name=f"{letters.name}/{registered.version}"))


def test_the_same_budget_asks_for_the_same_steps_once_they_were_planned(letters):
    settings = config(letters.name, letters.folder)
    first = contend(settings)
    assert letters.made.count("measure_speed") == 1, "one member has a time, the other has steps"
    letters.made.clear()
    second = contend(settings)
    assert second.version == first.version
    assert "finetune" not in letters.made
    assert "measure_speed" not in letters.made
