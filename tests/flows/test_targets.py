"""Models that name several labels, or predict a number: from a table to a registered model that is asked; stages are real."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from aigc_models.errors import BadInput
from aigc_models.generator import Generator
from flows.command_line.app import ordered
from flows.config import PipelineConfig
from flows.data import prepare
from flows.pipeline import produce
from tasks.dataset.datasets import remember
from tasks.registry.registry import located
from tasks.serve.try_served import TrialSettings, try_served
from tasks.stage.stage import StageContext
from tasks.use.infer import Question, classify

pytestmark = pytest.mark.slow
WORDS = ["the", "in", "of", "plant", "quarter", "again"]
TELLING = ("profit", "Oslo", "spring")
LABELS = ("money", "north", "season")


@pytest.fixture
def notes(request, plain_flows):
    """Three hundred lines; each of three words stands for a label and for so many kroner."""
    name, random = f"notes{crc32(request.node.name.encode())}", np.random.default_rng(0)
    has = random.random((300, 3)) < 0.5
    rows = []
    for row in has:
        told = [word for word, there in zip(TELLING, row, strict=True) if there]
        text = " ".join(random.permutation([*told, *random.choice(WORDS, 4)]))
        names = [label for label, there in zip(LABELS, row, strict=True) if there]
        price = 1000 + row @ [400, 200, 100] + random.integers(0, 50) / 10
        rows.append({"text": f"{text} {random.integers(1e6)}", "names": names, "price": round(float(price), 2)})
    file = plain_flows.workspace.root / f"{name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return SimpleNamespace(workspace=plain_flows.workspace, file=file, made=plain_flows.made, name=name)


def config(notes: Any, task: str, label: str, method: str, gate: dict[str, Any]) -> PipelineConfig:
    source = {
        "name": notes.name,
        "location": str(notes.file),
        "modality": "text",
        "content": "text",
        "label": f"column:{label}",
    }
    training = {
        "encode": {"task": task},
        "members": [{"family": "masked_lm", "size": "debug", "steps": 20}],
        "baseline": [{"family": "tfidf", "size": "debug"}, {"family": "constant", "size": "debug"}],
        "baseline_joins": True,
        "ensemble": {"method": method},
    }
    values = {"data": {"source": source}, "training": training, "evaluation": {"shown": 4}, "promotion": {"gates": [gate]}}
    return PipelineConfig.model_validate(values)


def asked(notes: Any, made: Any, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the registered model says of a text by the command line, and what the trial heard of it over HTTP."""
    context = StageContext(notes.workspace.stages / f"served-{notes.name}", notes.workspace)
    context.folder.mkdir(parents=True)
    served = try_served.plain([made.serving], [made.registered], TrialSettings(requests=2), context, [made.evaluation])
    assert served.latency[notes.name].requests == 2
    heard = json.loads((context.folder / "served" / f"{notes.name}.json").read_text())
    folder, identity = located(notes.workspace, notes.name)
    given = notes.workspace.root / f"{notes.name}.txt"
    given.write_text(text)
    question = Question.of(Generator.load(folder), identity, str(given))
    return classify(question)["classified"][0], heard


def test_several_labels_are_learnt_from_lists_measured_registered_and_asked(notes):
    gate = {"metric": "macro_f1", "compare": "at_least", "offset": 0.8, "guard": True}
    made = produce(config(notes, "multilabel", "names", "logit_pool", gate))
    assert made.decision.decision == "promoted"
    folder = made.trained.evaluation.path(notes.workspace)
    measured = json.loads((folder / "candidates.json").read_text())
    assert {"macro_f1", "log_loss"} == set(measured["ensemble"])
    assert measured["tfidf"]["macro_f1"]["value"] > measured["constant"]["macro_f1"]["value"] + 0.1
    assert measured["ensemble"]["log_loss"]["value"] < 0.5 * measured["constant"]["log_loss"]["value"]
    assert json.loads((folder / "samples/samples.json").read_text())[0]["file"] == "labels.svg"
    said, heard = asked(notes, made, "profit of the plant in spring")
    assert set(said["labels"]) == {"money", "season"}
    assert set(heard["probabilities"]) == set(said["probabilities"]) == set(LABELS)
    assert set(heard["labels"]) <= set(LABELS)


def test_numbers_are_learnt_measured_registered_and_asked(notes):
    gate = {"metric": "r2", "compare": "at_least", "offset": 0.8, "guard": True}
    made = produce(config(notes, "regress", "price", "stacked_regression", gate))
    assert made.decision.decision == "promoted"
    folder = made.trained.evaluation.path(notes.workspace)
    measured = json.loads((folder / "candidates.json").read_text())
    assert {"rmse", "mae", "r2", "interval_coverage"} == set(measured["ensemble"])
    assert measured["ensemble"]["rmse"]["value"] < 0.5 * measured["constant"]["rmse"]["value"]
    assert measured["ensemble"]["interval_coverage"]["value"] > 0.7
    assert json.loads((folder / "samples/samples.json").read_text())[0]["file"] == "numbers.svg"
    said, heard = asked(notes, made, "profit of the plant in spring 77")
    assert said["value"] == pytest.approx(1500, abs=120)
    assert said["interval"]["low"] < said["value"] < said["interval"]["high"]
    assert said["interval"]["level"] == heard["interval"]["level"] == 0.9
    assert isinstance(heard["value"], float)


def test_the_task_is_taken_from_the_labels_and_wrong_ones_are_named(notes, capsys):
    for label, task, why in (("price", "regress", "numbers of"), ("names", "multilabel", "have several of 3 labels")):
        name = f"{notes.name}-{label}"
        settings = config(notes, task, label, "average", {"metric": "rmse"})
        source = settings.data.source.model_copy(update={"name": name})
        data = settings.data.model_copy(update={"source": source})
        prepare(data)
        remember(notes.workspace, data)
        order = ordered(None, name, None, [], "auto")
        assert order.config.runs[0].training.encode.task == task
        assert f"task {task}: " in (said := capsys.readouterr().err)
        assert why in said
    wrong = config(notes, "regress", "names", "stacked_regression", {"metric": "rmse"})
    with pytest.raises(BadInput, match=rf"{notes.name}: .*\.jsonl#\d+: label '\[.*' is no finite number"):
        produce(wrong)
