"""Real models of MLflow, made with scikit-learn and by hand, registered, pinned, opened and asked."""

import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput, Unreachable
from aigc_models.families import mlflow_model
from aigc_models.modalities import text
from tasks.registry.outside_model import _predicted, digest, opened, pinned
from tasks.stage.tracking import client
from tasks.train.members import MemberSettings, build

LABELS = ("down", "up")
FORMAT = text.Format(length=64)
SHAPE = Shape("text", LABELS, FORMAT, "classify")


def written(count, seed):
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, count)
    return [f"{random.choice(['sales', 'orders'])} {('fell', 'rose')[one]} {at}" for at, one in enumerate(truth)], truth


def corpus(count, seed):
    texts, truth = written(count, seed)
    return Corpus("text", text.encode(texts, FORMAT), truth)


@pytest.fixture(scope="module")
def registered(tracked_workspace):
    """The workspace with `trend`, whose version 1 says labels and version 2, @best, says probabilities."""
    import mlflow

    store = client(tracked_workspace)
    texts, truth = written(60, 0)
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [LABELS[one] for one in truth])
    store.create_registered_model("trend")
    for number, function in ((1, "predict"), (2, "predict_proba")):
        folder = tracked_workspace.root / f"trend-{number}"
        kind = {"serialization_format": "cloudpickle", "pip_requirements": []}
        mlflow.sklearn.save_model(pipeline, folder, pyfunc_predict_fn=function, **kind)
        store.create_model_version("trend", str(folder))
    store.set_registered_model_alias("trend", "best", "2")
    return tracked_workspace


@pytest.fixture(autouse=True)
def here(request, monkeypatch):
    if "registered" in request.fixturenames:
        monkeypatch.setenv("AIGC_WORKSPACE", str(request.getfixturevalue("registered").root))


def member(uri, **settings):
    return MemberSettings(family="mlflow_model", settings={"uri": uri, "trusted": True, **settings})


def test_an_alias_is_pinned_to_its_version_and_its_files(registered):
    exact = pinned(registered, member("models:/trend@best"))
    assert exact.settings["uri"] == "models:/trend/2"
    assert len(exact.settings["sha256"]) == 64
    assert pinned(registered, exact) == exact
    other = pinned(registered, member("models:/trend/1"))
    assert other.settings["sha256"] != exact.settings["sha256"]
    with pytest.raises(BadInput, match="has no version '7'; there are: 2, 1"):
        pinned(registered, member("models:/trend/7"))
    with pytest.raises(BadInput, match="is no model of MLflow: it has no file MLmodel"):
        pinned(registered, member("elsewhere"))
    assert member("models:/trend/1").share == 0, "it takes nothing of the budget"


@pytest.mark.parametrize("uri", ["models:/trend/1", "models:/trend@best", "trend-2"])
def test_it_is_measured_counted_and_asked(registered, uri):
    model = build(pinned(registered, member(uri)), SHAPE)
    loss = model.fit(corpus(80, 1), corpus(40, 2), lambda *args, **figures: None)
    assert loss < 0.5
    test = corpus(50, 3)
    scores = model.classify(test.batch(np.arange(50))).double()
    assert (scores.argmax(1).numpy() == test.conditions).all()
    if uri == "models:/trend/1":  # a label alone is worth what was counted, one item more in each cell
        assert scores.exp().max().item() < 0.99
    else:
        probabilities = opened("trend-2", model.config.sha256, "text")(written(50, 3)[0])
        assert probabilities.names == LABELS
        assert np.allclose(scores.softmax(1).numpy(), probabilities.values, atol=1e-4)


def test_it_is_not_loaded_unless_it_is_trusted_nor_once_its_files_are_others(registered):
    with pytest.raises(BadInput, match=r"models:/trend/1: to load .* is to run the code .* trusted: true"):
        build(member("models:/trend/1", trusted=False), SHAPE)
    shutil.copytree(registered.root / "trend-1", registered.root / "copied")
    exact = pinned(registered, member("copied"))
    model = build(exact, SHAPE)
    (registered.root / "copied" / "MLmodel").open("a").write("\n# another\n")
    with pytest.raises(BadInput, match="no longer those that were measured"):
        pinned(registered, exact)
    with pytest.raises(Unreachable, match="no longer those that were measured"):
        model.fit(corpus(20, 1), corpus(10, 2), lambda *args, **figures: None)


def test_a_bundle_cannot_say_itself_that_it_is_trusted(registered, monkeypatch):
    shutil.copytree(registered.root / "trend-1", registered.root / "handed-on")
    (registered.root / "handed-on" / "MLmodel").open("a").write("\n# of a stranger\n")
    sha256 = digest(registered.root / "handed-on")
    model = build(member("handed-on", sha256=sha256), SHAPE)  # as `bundle.load` makes it
    assert f"set AIGC_TRUSTED_MODELS={sha256}" in str(model.ask(["sales rose"])[0])
    assert "is not trusted on this machine" in str(build(member("handed-on"), SHAPE).ask(["sales rose"])[0])
    monkeypatch.setenv("AIGC_TRUSTED_MODELS", f"abc,{sha256}")
    assert build(member("handed-on", sha256=sha256), SHAPE).ask(["sales rose"]) == [1]


class Answers:
    """A model of MLflow as it is asked: without a signature, it gives the same whatever comes."""

    metadata = None

    def __init__(self, answer):
        self.answer = answer

    def predict(self, given):
        assert given == ["a", "b"]
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (["up", "down"], [1, 0]),
        (pd.Series(["up", "down"]), [1, 0]),
        (pd.DataFrame({"label": ["up", "down"], "score": [0.9, 0.8]}), [1, 0]),
        (pd.DataFrame({"up": [0.75, 0.0], "down": [0.25, 1.0]}), [(0.25, 0.75), (1.0, 1e-6)]),
    ],
)
def test_what_is_accepted(answer, said, monkeypatch):
    model = mlflow_model.build(mlflow_model.Config(uri="x", trusted=True), SHAPE)
    monkeypatch.setattr(
        mlflow_model, "opener", lambda kind: lambda *where: lambda texts: _predicted(Answers(answer), "text", texts)
    )
    for one, expected in zip(model.ask(["a", "b"]), said, strict=True):
        assert np.allclose(np.exp(one) if isinstance(one, np.ndarray) else one, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (["sideways", "up"], "it answers 'sideways', which is none of the labels"),
        (pd.DataFrame({"a": [1.0, 0.0], "b": [0.0, 1.0]}), "a table with the columns a, b, and the labels are down, up"),
        (pd.DataFrame({"up": [-1.0, 0.0], "down": [2.0, 1.0]}), "no probabilities"),
        (np.eye(2), "an array of 2 columns without names"),
        (["up"], "it answers 1 rows for 2 texts"),
        ("up", "it answers a str: labels, or a table of probabilities by label are needed"),
        (RuntimeError("secret text"), "it raises RuntimeError: ask it alone"),
    ],
)
def test_anything_else_is_refused_by_what_came(answer, reason, monkeypatch):
    model = mlflow_model.build(mlflow_model.Config(uri="x", trusted=True), SHAPE)
    monkeypatch.setattr(
        mlflow_model, "opener", lambda kind: lambda *where: lambda texts: _predicted(Answers(answer), "text", texts)
    )
    first = model.ask(["a", "b"])[0]
    assert isinstance(first, Unreachable)
    assert reason in str(first)
    assert "secret" not in str(first)


def test_a_signature_says_the_column():
    from types import SimpleNamespace

    def schema(*names):
        return SimpleNamespace(
            get_input_schema=lambda: SimpleNamespace(input_names=lambda: list(names), has_input_names=lambda: True)
        )

    def model(*names):
        return SimpleNamespace(
            metadata=schema(*names), predict=lambda table: ["up" if list(table.columns) == ["words"] else "down"]
        )

    assert _predicted(model("words"), "text", ["a"]).values == ["up"]
    assert _predicted(model("words", "other"), "words", ["a"]).values == ["up"]
    with pytest.raises(BadInput, match="it takes the columns a, b: say in which of them texts stand"):
        _predicted(model("a", "b"), "text", ["a"])
