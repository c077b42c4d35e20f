"""A model that writes nothing: its items are an outcome, shown as what they are, in every page, table, manifest and answer."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.families import gaussian_mixture, ngram
from aigc_models.find import find, names
from aigc_models.generator import Generator
from aigc_models.modalities import audio, events, image, text
from aigc_models.modalities.events.events import notes
from tasks.judge.evaluate import EvaluationSettings
from tasks.judge.samples import generate_like, show_samples
from tasks.report import gather
from tasks.report.page import render
from tasks.serve.app import create_app
from tasks.serve.engine import Served
from tasks.serve.sound import available
from tasks.use.arrivals.answers import Responder
from tasks.use.generate import GenerationSettings, generate_into
from tasks.use.provenance import Identity

LABELS = ('<b>"bold"</b>', "it's [/red] & co")
IDENTITY = Identity(model="hollow", version="3", dataset='the "<i>hollow</i>" set')
NOISE = np.random.default_rng(0)
TALES = [f"The {first} cat sat on the {last}." for first in ("red", "old", "sly") for last in ("mat", "hat", "bed", "box")]
REAL = {  # what the test split holds, and what the model makes
    "text": (text, TALES, ["", "", "", " ", "aaaa"]),
    "events": (
        events,
        [notes(range(9), NOISE.integers(50, 70, 9), [1] * 9, [0] * 9) for _ in range(12)],
        [notes([], [], [], [])],
    ),
    "image": (image, list(NOISE.integers(0, 255, (12, 8, 8, 1), dtype=np.uint8)), ["black"]),
    "audio": (
        audio,
        [audio.Sound(NOISE.uniform(-0.5, 0.5, (1, 1024)).astype(np.float32), 8000) for _ in range(12)],
        ["silent"],
    ),
}


class Hollow(SimpleNamespace):
    """A bundle whose model makes next to nothing, its generator, and a corpus of real items."""


@pytest.fixture(scope="module", params=REAL)
def hollow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Hollow:
    modality, real, made = REAL[request.param]
    family = gaussian_mixture if hasattr(modality, "canvas") else ngram
    config, form = family.SIZES["debug"], modality.choose_format(real)
    card = Card(name="hollow", family=family.__name__.split(".")[-1], modality=request.param,
                config=config.model_dump(mode="json"), format=form.model_dump(mode="json"), labels=LABELS,
                dataset="hollow", version="d4ta", micro_batch=4)  # fmt: skip
    corpus = Corpus(request.param, modality.encode(real * 2, form), np.arange(24) % 2)
    model = family.build(config, card.shape)
    if family is ngram:
        taught = Corpus(request.param, modality.encode((made * 24)[:24], form), np.arange(24) % 2)
        model.fit(taught, taught, lambda *arguments, **figures: None)
    else:  # collapsed: every item is the darkest picture that there is
        model.fit(corpus, corpus, lambda *arguments, **figures: None)
        gone = {name: model.state[name] * 0 for name in ("means", "factors")}
        model.load_state_dict({**model.state, **gone, "centre": model.state["centre"] * 0 - 1})
    folder = tmp_path_factory.mktemp("hollow") / "bundle"
    bundle.save(folder, model, card)
    words = {"image": {"black"}, "audio": {"silent"}}.get(request.param, {"empty", "blank", "one symbol"})
    generator = Generator.load(folder)
    samples, models = generate_like(corpus, generator, 512, 20_000), {"ensemble": generator.model}
    evidence = Evidence(corpus, corpus, corpus, card.shape, models, {"ensemble": samples, "champion": samples})
    return Hollow(modality=modality, corpus=corpus, emptiness=words, generator=generator, evidence=evidence)


def test_the_report_shows_each_sample_as_what_it_is(
    hollow: Hollow, tmp_path: Path, report: Any, docstrings: Any, read_page: Any
) -> None:
    settings = EvaluationSettings(shown=12)
    (tmp_path / "evaluation").mkdir()
    show_samples(hollow.generator, settings.shown, settings.seed, tmp_path / "evaluation" / "samples", hollow.corpus)
    samples = gather.samples(tmp_path / "evaluation", hollow.corpus.modality, tmp_path / "report", "hollow")
    shown = {item.note.partition(", ")[2] for item in samples}
    assert shown & hollow.emptiness
    assert shown <= hollow.emptiness | {""}
    assert {item.label for item in samples} == set(LABELS)
    part = docstrings.model_copy(update={"samples": samples})
    page = read_page(render(report.model_copy(update={"datasets": (part,)})))
    assert page.open == []
    assert all(word in page.text for word in [*LABELS, *shown])


def test_a_batch_and_an_answer_say_so_in_their_manifest(hollow: Hollow, tmp_path: Path) -> None:
    generate_into(hollow.generator, tmp_path / "made", GenerationSettings(count=9), IDENTITY)
    lines = [json.loads(line) for line in (tmp_path / "made" / "manifest.jsonl").read_text().splitlines()]
    assert len(lines) == 9
    assert {line["emptiness"] for line in lines} & hollow.emptiness
    assert {line["dataset"] for line in lines} == {IDENTITY.dataset}
    assert generate_into(hollow.generator, tmp_path / "made", GenerationSettings(count=9), IDENTITY) == 0
    answer = tmp_path / "answer"
    answer.mkdir()
    rows = json.dumps({"label": LABELS[0], "count": 3}) + "\n" + json.dumps({"label": LABELS[1]})
    manifest = Responder(hollow.generator, IDENTITY).answer(rows.encode(), 'a "<b>.jsonl', answer)
    assert manifest["ok"], manifest
    assert json.loads((answer / "answer.json").read_bytes()) == manifest
    assert {item["emptiness"] for row in manifest["rows"] for item in row["items"]} <= hollow.emptiness | {None}
    assert [row["items"][0]["label"] for row in manifest["rows"]] == list(LABELS)


def test_the_server_answers(hollow: Hollow) -> None:
    app = create_app({"hollow": Served(IDENTITY, lambda: hollow.generator)}, hosts="*")
    with TestClient(app) as client:
        while client.get("/readyz").status_code != httpx.codes.OK:
            pass
        answer = client.post("/v1/generate", json={"n": 3, "seed": 1, "label": LABELS[1]})
        assert answer.status_code == httpx.codes.OK, answer.text
        assert [item["label"] for item in answer.json()["data"]] == [LABELS[1]] * 3
        if hollow.modality is audio:
            for kind in available():
                spoken = client.post("/v1/audio/speech", json={"model": "hollow", "input": LABELS[0], "response_format": kind})
                assert spoken.status_code == httpx.codes.OK, spoken.text
        if hollow.modality is image:
            pictures = client.post("/v1/images/generations", json={"n": 2, "prompt": LABELS[0]}).json()
            assert [item["label"] for item in pictures["data"]] == [LABELS[0]] * 2
        if hollow.modality is text:
            completion = client.post("/v1/completions", json={"n": 8, "seed": 1, "label": LABELS[0]}).json()
            texts = [choice["text"] for choice in completion["choices"]]
            assert len(texts) == 8
            assert "" in texts
            assert all(choice["finish_reason"] == "stop" for choice in completion["choices"] if not choice["text"])


@pytest.mark.parametrize("metric", names("aigc_models.metrics"))
def test_every_metric_measures_it(hollow: Hollow, metric: str) -> None:
    plugin = find("aigc_models.metrics", metric)
    if hollow.corpus.modality not in plugin.MODALITIES:
        pytest.skip("of another modality")
    if getattr(plugin, "applies", lambda evidence: True)(hollow.evidence):
        measured = plugin.measure(hollow.evidence)
        assert measured
        for one in measured.values():
            assert np.isfinite([one.value, one.low, one.high]).all()


def test_a_constant_path_of_a_series_is_an_item_like_others(capable: dict[str, Path], tmp_path: Path) -> None:
    generator = Generator.load(capable["waves"])
    still = {name: tensor * 0 for name, tensor in generator.model.state_dict().items()}
    generator.model.load_state_dict(still)
    generate_into(generator, tmp_path / "made", GenerationSettings(count=3), IDENTITY)
    lines = [json.loads(line) for line in (tmp_path / "made" / "manifest.jsonl").read_text().splitlines()]
    assert [line["emptiness"] for line in lines] == ["constant"] * 3
