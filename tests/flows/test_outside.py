"""Models that lie elsewhere in a whole run: an endpoint that is a real server, and a model that MLflow keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from aigc_models.errors import BadInput
from aigc_models.generator import Generator
from flows.config import PipelineConfig
from flows.pipeline import produce
from flows.reproduction import ReproductionConfig, reproduce
from tasks.registry.bundles import resolve
from tasks.registry.register import find_version
from tasks.registry.version_recipe import kept
from tasks.report.write_report import _members
from tasks.serve.try_served import TrialSettings, try_served
from tasks.stage.stage import StageContext
from tasks.stage.tracking import client

pytestmark = pytest.mark.slow
TFIDF = {"family": "tfidf", "size": "debug"}
CALM = {"metric": "unanswered_share", "offset": 0.5, "guard": True, "optional": True}


def asking(endpoint: Any, **settings: Any) -> dict[str, Any]:
    settings = {"url": endpoint.url, "model": "mind", "retries": 0, "shown": 30, "checked": 10, **settings}
    return {"name": "mind", "family": "endpoint", "settings": settings}


def config(news: Any, gates: list[Any] | None = None, **training: Any) -> PipelineConfig:
    shared = {"encode": {"task": "classify"}, "ensemble": {"method": "opinion_pool"}, "baseline": TFIDF, "baseline_joins": True}
    source = {"name": news.name, "location": str(news.file), "modality": "text", "label": "line:@"}
    quality = {"metric": "macro_f1", "compare": "at_least", "offset": 0.6, "guard": True}
    return PipelineConfig.model_validate({
        "data": {"source": source}, "training": {**shared, **training}, "evaluation": {"shown": 4},
        "promotion": {"gates": gates or [quality, CALM]},
    })  # fmt: skip


def trend(text: str) -> str:
    return "up" if "rose" in text else "down"


@pytest.fixture
def registered(news):
    """A model of MLflow in the workspace's registry: `trend@best`."""
    import mlflow

    texts, labels = zip(*(line.rsplit("@", 1) for line in news.file.read_text().splitlines()[:60]), strict=True)
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels)
    folder, store, name = news.workspace.root / f"{news.name}-trend", client(news.workspace), f"{news.name}-trend"
    options = {"serialization_format": "cloudpickle", "pip_requirements": []}
    mlflow.sklearn.save_model(pipeline, folder, pyfunc_predict_fn="predict_proba", **options)
    store.create_registered_model(name)
    store.create_model_version(name, str(folder))
    store.set_registered_model_alias(name, "best", "1")
    return name


def test_members_that_lie_elsewhere_are_measured_pooled_registered_and_served(news, endpoint, registered, monkeypatch):
    monkeypatch.setenv("MOOD_API_KEY", "s3cret-key")
    endpoint.answers(trend)
    listed = {"name": "listed", "family": "mlflow_model", "settings": {"uri": f"models:/{registered}@best", "trusted": True}}
    given = config(news, members=[asking(endpoint, key_variable="MOOD_API_KEY"), listed])
    made = produce(given)
    assert made.decision.decision == "promoted"
    assert {member.name: member.steps for member in made.trained.members} == {"mind": 0, "listed": 0, "tfidf": 0}
    assert "measure_speed" not in news.made, "nothing of them takes of the budget"
    metrics = json.loads((made.trained.evaluation.path(news.workspace) / "metrics.json").read_text())
    assert metrics["unanswered_share"]["value"] == 0
    assert set(metrics["macro_f1"]["versus"]) >= {"mind", "listed", "baseline"}
    whole = Generator.load(made.trained.ensemble.path(news.workspace))
    assert whole.card.outside == (f"{endpoint.url} model mind", f"models:/{registered}/1")
    assert whole.classify(["the plant rose in May"]).argmax(1).tolist() == [1]
    recipe = kept(client(news.workspace), find_version(client(news.workspace), f"{news.name}/1")).model_dump_json()
    assert f"models:/{registered}/1" in recipe, "the alias may move"
    assert f"{registered}@best" not in recipe
    everything = [
        path.read_bytes() for path in news.workspace.root.rglob("*") if path.is_file() and path.stat().st_size < 10**7
    ]
    assert not any(b"s3cret-key" in one for one in everything)
    context = StageContext(news.workspace.stages / f"served-{news.name}", news.workspace)
    context.folder.mkdir(parents=True)
    trial = TrialSettings(requests=2)
    served = try_served.plain([made.trained.ensemble], [made.registered], trial, context, [made.trained.evaluation])
    assert served.latency[news.name].requests == 2
    news.made.clear()
    produce(given)
    assert not {"finetune", "build_ensemble", "evaluate"} & set(news.made), "the same run is kept"
    endpoint.requests.clear()
    outcome = reproduce(ReproductionConfig(name=f"{news.name}/1"))
    assert f"{endpoint.url} model mind was asked again, and its answers may be others now" in outcome.notes
    assert outcome.same, "it says the same today"
    assert endpoint.requests


def test_an_endpoint_that_is_the_baseline_and_better_than_what_is_trained_serves_alone(news, endpoint):
    """Labels that nothing in the words gives away; where it were as good as a model of one's own, that one would serve."""
    texts = [
        line.rpartition("@")[0].replace("rose", "was").replace("fell", "was") for line in news.file.read_text().splitlines()
    ]
    labels = {text: ("down", "up")[at * 7 // 3 % 2] for at, text in enumerate(texts)}
    news.file.write_text("".join(f"{text}@{label}\n" for text, label in labels.items()))
    endpoint.answers(lambda text: labels[text.partition("\n")[0]])
    members = [{**TFIDF, "share": 0}, {"family": "ridge", "size": "debug", "share": 0}]
    made = produce(config(news, baseline=asking(endpoint), baseline_joins=False, members=members))
    metrics = json.loads((made.trained.evaluation.path(news.workspace) / "metrics.json").read_text())
    assert metrics["macro_f1"]["baseline"] == 1.0
    generator = Generator.load(resolve(news.workspace, f"{news.name}@champion"))
    assert generator.card.members == ("mind",)
    endpoint.answers(trend)
    assert generator.classify(["orders rose"]).argmax(1).tolist() == [1]


def test_a_member_that_does_not_answer_is_left_out_said_and_counted(news, endpoint):
    endpoint.reply = lambda body: (200, endpoint.said("I would rather not say"))
    made = produce(config(news, members=[asking(endpoint)]))
    reason = "gave no label for 30 of 30 train texts: its answer names none of the labels, or several"
    assert list(made.trained.left_out) == ["mind"]
    assert made.trained.left_out["mind"].reason.endswith(reason)
    assert [member.name for member in made.trained.members] == ["tfidf"]
    folder = made.trained.evaluation.path(news.workspace)
    assert json.loads((folder / "metrics.json").read_text())["unanswered_share"]["value"] == 1.0
    shown = _members(made, json.loads((folder / "candidates.json").read_text()))
    assert [(one.name, one.family, one.metrics["unanswered_share"]) for one in shown] == [
        ("tfidf", "tfidf", 0.0), ("mind", "endpoint", 1.0),
    ]  # fmt: skip
    assert made.decision.decision == "refused"
    assert "unanswered_share at most 0.5 (1 is not at most 0.5)" in made.decision.reason
    endpoint.answers(trend)
    again = produce(config(news, members=[asking(endpoint)]))
    assert (again.trained.left_out, again.decision.decision) == ({}, "promoted"), "it was not taken for trained"


def test_one_that_dies_before_the_weights_are_learned_is_left_out_too(news, endpoint):
    endpoint.answers(trend)
    well = endpoint.reply
    endpoint.reply = lambda body: well(body) if len(endpoint.requests) <= 40 else (500, b"")
    made = produce(config(news, members=[asking(endpoint)], gates=[CALM]))
    assert "member mind did not answer for" in made.trained.left_out["mind"].reason
    assert made.trained.ensemble.weights == {"tfidf": 1.0}


def test_without_a_baseline_there_is_no_run(news, endpoint):
    endpoint.stop()
    with pytest.raises(
        BadInput, match=r"baseline: nobody answers \(mind: .* it cannot be reached: .*\): see to it and run again"
    ):
        produce(config(news, baseline=asking(endpoint), baseline_joins=False, members=[{**TFIDF, "share": 0}]))
