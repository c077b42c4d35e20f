"""Models that are asked something else than to make items: stages, registry and gates are real (see `plain_flows`)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aigc_models.errors import BadInput
from aigc_models.generator import Generator
from flows.command_line.app import ordered
from flows.config import PipelineConfig
from flows.pipeline import produce
from flows.reproduction import ReproductionConfig, reproduce
from tasks.ingest.source import SourceSettings
from tasks.registry.bundles import resolve
from tasks.serve.try_served import TrialSettings, try_served
from tasks.stage.stage import StageContext

pytestmark = pytest.mark.slow


def config(news: Any, task: str = "classify", **training: Any) -> PipelineConfig:
    classifying = {
        "members": [{"family": "masked_lm", "size": "debug", "steps": 20}],
        "baseline": {"family": "tfidf", "size": "debug"},
        "baseline_joins": True,
        "ensemble": {"method": "opinion_pool"},
    }
    values = {
        "data": {"source": {"name": news.name, "location": str(news.file), "modality": "text", "label": "line:@"}},
        "training": {"encode": {"task": task}, **classifying, **training},
        "evaluation": {"shown": 4},
        "promotion": {"gates": [{"metric": "macro_f1", "compare": "at_least", "offset": 0.6, "guard": True}]},
    }
    return PipelineConfig.model_validate(values)


def test_a_classifier_is_trained_measured_registered_and_asked(news):
    first = produce(config(news))
    assert (first.decision.decision, first.batch) == ("promoted", None)
    folder = first.trained.evaluation.path(news.workspace)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {"accuracy", "macro_f1", "log_loss", "expected_calibration_error"} == set(metrics), "none of those of what is made"
    assert metrics["macro_f1"]["baseline"] > 0.9, "one word gives a label away"
    shown = json.loads((folder / "samples/samples.json").read_text())
    assert [entry["file"] for entry in shown[:2]] == ["confusion.svg", "reliability.svg"]
    generator = Generator.load(resolve(news.workspace, news.name))
    assert generator.card.task == "classify"
    assert generator.classify(["the plant rose in May"]).argmax(1).tolist() == [1]
    context = StageContext(news.workspace.stages / f"served-{news.name}", news.workspace)
    context.folder.mkdir(parents=True)
    served = try_served.plain([first.serving], [first.registered], TrialSettings(requests=2), context, [first.evaluation])
    assert served.latency[news.name].requests == 2
    assert json.loads((context.folder / "served" / f"{news.name}.json").read_text())["label"] in ("down", "up")
    news.made.clear()
    again = produce(config(news))
    assert again.registered == first.registered
    assert not {"finetune", "build_ensemble", "evaluate", "register", "generate"} & set(news.made)
    outcome = reproduce(ReproductionConfig(name=f"{news.name}/{first.registered.version}"))
    assert outcome.same, outcome


def test_the_registered_model_is_one_of_mlflow_too(news):
    import pandas
    from mlflow.pyfunc import load_model

    first = produce(config(news))
    bundle = resolve(news.workspace, news.name)
    model = load_model(str(bundle.parent.parent))
    (answer,) = model.predict(pandas.DataFrame({"input": ["sales fell in Oslo"]}))
    assert json.loads(answer)["label"] == "down"
    assert first.registered.version >= 1


def test_another_task_needs_another_name(news):
    produce(config(news))
    generating = {"members": [{"family": "rnn", "size": "debug", "steps": 2}], "baseline": {"family": "ngram", "size": "debug"}}
    with pytest.raises(
        BadInput, match=r"is a registered model to classify, and this one is to generate: .*registration\.model="
    ):
        produce(config(news, "generate", **generating, ensemble={"method": "average"}))


def test_the_same_texts_are_learnt_anew_for_another_task(news):
    """A member's bundle of one task never stands in for that of another: the arrays are the same, byte for byte."""
    members = [{"family": "rnn", "size": "debug", "steps": 2}]
    first = produce(config(news, members=members))
    plain = {"baseline": {"family": "ngram", "size": "debug"}, "ensemble": {"method": "average"}}
    other = config(news, "generate", members=members, **plain)
    other = other.model_copy(update={"registration": other.registration.model_copy(update={"model": f"{news.name}-made"})})
    second = produce(other.model_copy(update={"promotion": other.promotion.model_copy(update={"gates": ()})}))
    one, two = (next(member for member in made.trained.members if member.name == "rnn") for made in (first, second))
    assert one.sha256 != two.sha256
    assert Generator.load(two.path(news.workspace)).card.task == "generate"


def test_a_published_checkpoint_is_finetuned_and_its_version_made_again(news, published):
    training = {
        "pretraining": {"checkpoint": str(published)},
        "members": [
            {"name": "whole", "family": "checkpoint", "start": "body", "steps": 6},
            {"name": "low_rank", "family": "checkpoint", "start": "body", "tune": "lora", "steps": 6},
        ],
    }
    made = produce(config(news, **training))
    assert made.trained.body.family == "checkpoint"
    assert news.made.count("import_checkpoint") == 1
    licences = {Generator.load(member.path(news.workspace)).card.licence for member in made.trained.members}
    assert any("apache-2.0" in licence for licence in licences)
    outcome = reproduce(ReproductionConfig(name=f"{news.name}/1"))
    assert outcome.same, outcome


def test_a_task_that_data_suit_is_chosen_and_said(news, capsys, monkeypatch):
    from flows.data import prepare
    from tasks.dataset.datasets import remember

    settings = config(news)
    prepare(settings.data)
    remember(news.workspace, settings.data)
    order = ordered(None, news.name, None, [], "auto")
    assert order.config.name == "text-classify"
    assert order.config.runs[0].training.encode.task == "classify"
    assert "task classify: the items have 2 labels" in capsys.readouterr().err
    with pytest.raises(BadInput, match="unknown task 'clasify'; did you mean 'classify'"):
        ordered(None, news.name, None, [], "clasify")
    with pytest.raises(BadInput, match="there is no preset for text to recommend yet"):
        ordered(None, news.name, None, [], "recommend")
    assert SourceSettings.model_validate(settings.data.source).name == news.name
