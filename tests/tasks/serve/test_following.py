"""A real server on a real registry whose alias is moved: version 1 writes a's alone, version 2 b's."""

import gc
import json
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.corpus import Corpus
from aigc_models.families import ngram
from aigc_models.modalities import text
from tasks.registry.bundles import resolve
from tasks.registry.promote import promote_version, rollback
from tasks.serve.app import create_app
from tasks.serve.following import registered
from tasks.serve.worker import Served
from tasks.stage.tracking import client
from tasks.use.provenance import Identity


def writer(folder: Path, symbol: str) -> Path:
    """A bundle whose texts are of this symbol alone."""
    texts = [symbol * length for length in range(20, 40)]
    form, config = text.choose_format(texts), ngram.SIZES["debug"]
    card = Card(name="followed", family="ngram", modality="text", config=config.model_dump(mode="json"), labels=(),
                format=form.model_dump(), dataset="followed", version=f"data-{symbol}", micro_batch=4)  # fmt: skip
    corpus = Corpus("text", text.encode(texts, form), np.zeros(len(texts), int))
    model = ngram.build(config, card.shape)
    model.fit(corpus, corpus, lambda *arguments, **figures: None)
    bundle.save(folder, model, card)
    return folder


@pytest.fixture(scope="module")
def letters(registrar):
    """The registered model `followed` in two versions."""
    for number, symbol in ((1, "a"), (2, "b")):
        registrar.register("followed", number, writer(registrar.workspace.outputs / f"writer-{symbol}", symbol), loss=0.5)
    return registrar.workspace


def move(workspace, version, name="followed"):
    client(workspace).set_registered_model_alias(name, "champion", str(version))


def ask(client, **body):
    """Which version says that it answers, and which symbols it wrote."""
    answer = client.post("/v1/completions", json={"model": "followed", "max_tokens": 12, "temperature": 0, **body})
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-aigc-version"] == answer.json()["aigc"]["version"]
    return answer.headers["x-aigc-version"], set(answer.json()["choices"][0]["text"])


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def figure(client, name):
    return next(float(line.split()[-1]) for line in client.get("/metrics").text.splitlines() if line.startswith(name))


@pytest.fixture
def served(letters, serving):
    """A client of a server that follows `followed`, at version 1, and looks twenty times a second."""
    move(letters, 1)
    app = create_app({"followed": registered(letters, "followed")}, every=0.05)
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as asker:
        until(lambda: asker.get("/readyz").status_code == 200)
        asker.app = app
        yield asker


@pytest.mark.slow
def test_fifty_swaps_under_load(letters, served):
    answers, done = [], threading.Event()
    engine = served.app.state.engine
    first = weakref.ref(engine.current("followed").generator)

    def load(stream):
        with httpx.Client(base_url=served.base_url, timeout=30) as asker:
            while not done.is_set():
                answers.append(streamed(asker) if stream else ask(asker))

    with ThreadPoolExecutor(3) as pool:
        loads = [pool.submit(load, stream) for stream in (False, False, True)]
        try:
            for swap in range(50):
                version = (2, 1)[swap % 2]
                move(letters, version)
                until(lambda version=version: ask(served)[0] == str(version))
        finally:
            done.set()
        for each in loads:
            each.result()  # raises where a request failed
    assert {version for version, _ in answers} == {"1", "2"}
    assert all(symbols == {"1": {"a"}, "2": {"b"}}[version] for version, symbols in answers)
    assert figure(served, 'aigc_reloads_total{model="followed",outcome="served"}') == 50
    until(lambda: sum(thread.name.startswith("followed_") for thread in threading.enumerate()) == 1)
    until(lambda: gc.collect() >= 0 and first() is None)  # what is served no more is freed


def streamed(client):
    body = {"model": "followed", "max_tokens": 200, "temperature": 0, "stream": True}
    with client.stream("POST", "/v1/completions", json=body) as answer:
        assert answer.status_code == 200
        events = [line[6:] for line in answer.iter_lines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    events = [json.loads(event) for event in events[:-1]]
    (version,) = {event["aigc"]["version"] for event in events}
    return version, {symbol for event in events for choice in event["choices"] for symbol in choice["text"]}


def test_promotion_and_rollback_are_served(letters, served):
    promote_version(letters, "followed", 2)
    until(lambda: ask(served) == ("2", {"b"}))
    assert served.get("/v1/models/followed").json()["version"] == "2"
    assert figure(served, 'aigc_served_version{model="followed"}') == 2
    rollback(letters, "followed", "worse")
    until(lambda: ask(served) == ("1", {"a"}))


def test_running_answer_ends_on_the_version_that_began_it(letters, served):
    body = {"model": "followed", "max_tokens": 512, "temperature": 0, "n": 4, "stream": True}
    with served.stream("POST", "/v1/completions", json=body) as answer:
        lines = answer.iter_lines()
        next(lines)
        old = served.app.state.engine.current("followed")
        move(letters, 2)
        until(lambda: served.app.state.engine.current("followed") is not old)
        assert old.open_requests == 1
        symbols = {choice["text"] for line in lines if line[:6] == "data: " and "[" in line and line[6] == "{"
                   for choice in json.loads(line[6:])["choices"]}  # fmt: skip
    assert set("".join(symbols)) == {"a"}


def test_explicit_version_never_moves(letters, serving):
    move(letters, 1)
    app = create_app({"followed": registered(letters, "followed/1")}, every=0.05)
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as asker:
        until(lambda: asker.get("/readyz").status_code == 200)
        move(letters, 2)
        time.sleep(0.5)
        assert ask(asker) == ("1", {"a"})


def test_damaged_version_is_refused_and_the_old_one_goes_on(letters, served, registrar):
    version = registrar.register("followed", 3, writer(letters.outputs / "writer-c", "c"), loss=0.5).version
    weights = next(resolve(letters, f"followed/{version}").glob("*.safetensors"))
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-8] + bytes(8))
    move(letters, version)
    until(lambda: "notes" in served.get("/readyz").json())
    ready = served.get("/readyz")
    assert ready.status_code == 200
    assert f"version {version} is refused and version 1 goes on" in ready.json()["notes"]["followed"]
    assert ask(served) == ("1", {"a"})
    time.sleep(0.3)  # it is not tried at each look
    assert figure(served, 'aigc_reloads_total{model="followed",outcome="refused"}') == 1
    assert figure(served, 'aigc_served_version{model="followed"}') == 1
    move(letters, 2)
    until(lambda: ask(served) == ("2", {"b"}))
    assert "notes" not in served.get("/readyz").json()


def test_alias_of_a_version_that_is_gone(letters, served, registrar):
    version = registrar.register("followed", 4, writer(letters.outputs / "writer-d", "d"), loss=0.5).version
    client(letters).delete_registered_model_alias("followed", "champion")
    until(lambda: "has no champion" in served.get("/readyz").json().get("notes", {}).get("followed", ""))
    assert ask(served) == ("1", {"a"})
    move(letters, version)
    until(lambda: ask(served) == (str(version), {"d"}))


def test_hung_worker_is_not_healthy(pictures, serving):
    release = threading.Event()

    class Hanging(pictures):
        def encoded(self, conditions, seeds):
            assert release.wait(30)
            return super().encoded(conditions, seeds)

    app = create_app({"digits": Served(Identity(model="digits"), Hanging)}, hung=0.3)
    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as asker, ThreadPoolExecutor(1) as pool:
        until(lambda: asker.get("/readyz").status_code == 200)
        time.sleep(0.4)
        assert asker.get("/healthz").status_code == 200  # idle is not hung
        waiting = pool.submit(httpx.post, f"{address}/v1/images/generations", json={}, timeout=30)
        try:
            until(lambda: asker.get("/healthz").status_code == 503)
            assert "digits" in asker.get("/healthz").json()["error"]["message"]
        finally:
            release.set()
        assert waiting.result().status_code == 200
        assert asker.get("/healthz").json() == {"status": "ok"}
