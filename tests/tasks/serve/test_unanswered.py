"""Served models that rest on an endpoint: it answers, it dies, and what is left answers and says so."""

import httpx
import numpy as np
import pytest

from aigc_models import bundle
from aigc_models.card import Card
from aigc_models.corpus import Corpus
from aigc_models.ensembles import opinion_pool
from aigc_models.families import endpoint as family
from aigc_models.families import tfidf
from aigc_models.generator import Generator
from aigc_models.modalities import text

FORMAT, LABELS = text.Format(length=64), ("down", "up")
TEXTS = [f"{'orders' if at % 3 else 'sales'} {'rose' if at % 2 else 'fell'} {at}" for at in range(80)]


@pytest.fixture
def pair(tmp_path, endpoint):
    """The endpoint alone, and pooled with a model of our own."""
    endpoint.answers(lambda text: "up" if "rose" in text else "down")
    corpus = Corpus("text", text.encode(TEXTS, FORMAT), np.arange(80) % 2)
    asked = family.Config(url=endpoint.url, model="mind", retries=0, shown=40, checked=10, at_once=1)
    shared = {
        "modality": "text",
        "task": "classify",
        "labels": LABELS,
        "format": FORMAT.model_dump(mode="json"),
        "micro_batch": 4,
    }
    folders = {}
    for name, module, config in (("mind", family, asked), ("words", tfidf, tfidf.SIZES["debug"])):
        family_name = module.__name__.rpartition(".")[2]
        card = Card(name=name, family=family_name, config=config.model_dump(mode="json"), **shared)
        model = module.build(config, card.shape)
        model.fit(corpus, corpus, lambda *args, **figures: None)
        folders[name] = tmp_path / name
        bundle.save(folders[name], model, card)
    members, weights = {name: bundle.load(folder)[1] for name, folder in folders.items()}, {"mind": 0.7, "words": 0.3}
    pool = opinion_pool.build(members, weights, opinion_pool.Settings())
    learned = {"family": "opinion_pool", "config": pool.settings.model_dump(mode="json"), "weights": weights}
    card = Card(name="both", kind="ensemble", **learned, **shared)
    bundle.save(tmp_path / "both", pool, card, members=folders)
    return {name: Generator.load(tmp_path / name) for name in ("mind", "words", "both")}


def asked(address, model, *inputs):
    return httpx.post(f"{address}/v1/classify", json={"model": model, "input": list(inputs)}, timeout=30)


def test_the_others_answer_where_one_does_not_and_it_is_said_and_counted(start, pair, endpoint):
    address = start(mind=pair["mind"], both=pair["both"])
    answer = asked(address, "both", "orders rose", "sales fell")
    assert [row["label"] for row in answer.json()["data"]] == ["up", "down"]
    assert answer.json()["unanswered"] == {}
    assert "x-aigc-unanswered" not in answer.headers
    endpoint.reply = lambda body: (200, endpoint.said("well"))
    answer = asked(address, "both", "orders rose", "sales fell")
    assert answer.json()["unanswered"] == {"mind": 2}
    assert answer.headers["x-aigc-unanswered"] == "mind"
    alone = pair["words"].classify(["orders rose", "sales fell"])
    assert [row["probability"] for row in answer.json()["data"]] == pytest.approx(alone.max(1).values.tolist(), abs=1e-4)
    refused = asked(address, "mind", "orders rose")
    assert refused.status_code == 502
    assert refused.json()["error"]["code"] == "upstream_unanswered"
    assert endpoint.url not in refused.text
    figures = httpx.get(f"{address}/metrics").text
    assert 'aigc_unanswered_texts_total{member="mind",model="both"} 2.0' in figures
    assert 'aigc_unanswered_texts_total{member="mind",model="mind"} 1.0' in figures


def test_one_that_died_costs_a_few_attempts_and_not_one_a_text(start, pair, endpoint):
    address = start(both=pair["both"])
    before = len(endpoint.requests)
    endpoint.reply = lambda body: (500, b"")
    answer = asked(address, "both", *TEXTS[:20])
    assert answer.json()["unanswered"] == {"mind": 20}
    assert len(endpoint.requests) - before == 3
    explained = httpx.post(f"{address}/v1/explain", json={"model": "both", "input": "orders rose"}, timeout=30)
    assert explained.status_code == 502


def test_words_are_explained_by_as_many_requests_as_are_bounded(pair, endpoint):
    from aigc_models.errors import BadInput
    from aigc_models.explaining.words import explain

    endpoint.requests.clear()
    explanation = explain(pair["both"], "orders rose again")
    assert explanation.label == "up"
    assert max(explanation.words, key=lambda word: word.value).text == "rose"
    assert len(endpoint.requests) < 30
    with pytest.raises(BadInput, match="has 61 words, and each would be a request"):
        explain(pair["both"], "word " * 61)


@pytest.mark.parametrize("api", ["chat", "completions"])
def test_our_own_server_speaks_the_dialect(start, capable, api):
    from aigc_models.outside.client import Answer, Client

    address = start(mind=Generator.load(capable["mind"]))
    (answer,) = Client(f"{address}/v1", "mind", api=api, retries=0, most_tokens=4).ask(["The red cat"])
    assert isinstance(answer, Answer), answer
    assert answer.text
    assert answer.tokens
