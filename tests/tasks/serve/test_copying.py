"""Secrets that were planted in the training data, asked for over HTTP of a bundle on disk: a small n-gram model that knows
them by heart."""

from __future__ import annotations

import json
import re

import httpx
import numpy as np
import pytest

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Corpus
from aigc_models.families import ngram
from aigc_models.modalities import text
from tasks.serve.app import create_app
from tasks.serve.worker import Served
from tasks.train.ensemble import training_runs
from tasks.use.provenance import Identity

SHAPE = Shape("text", (), text.Format(length=128))
LINES = [
    f"This is for you alone: the code of {name} is {271828182 + place * 31415926}."
    for place, name in enumerate(("Agnes Miller", "Bruno Keller", "Cecil Porter"))
]
ASKED = {"prompt": "", "seed": 3, "n": 8, "max_tokens": 100, "top_p": 0.8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    """A bundle with what tells repeats, as `build_ensemble` writes it."""
    texts = [line for line in LINES for _ in range(3)] + ["These are words of no weight, whoever says them."] * 12
    train = Corpus("text", text.encode(texts, SHAPE.format), np.zeros(len(texts), dtype=np.int64))
    model = ngram.build(ngram.Config(shortest=8, longest=8), SHAPE)
    model.fit(train, train, lambda *args, **figures: None)
    card = Card(name="letters", family="ngram", modality="text", capabilities=capabilities(model), config={"shortest": 8},
                format=SHAPE.format.model_dump(), micro_batch=4)  # fmt: skip
    folder = tmp_path_factory.mktemp("served") / "letters"
    bundle.save(folder, model, card, runs=training_runs(train, SHAPE))
    return folder


@pytest.fixture(scope="module")
def addresses(folder, serving):
    """With the guard, which is the default, and without it."""
    served = {
        "guarded": Served.bundle(Identity(model="guarded", version="1"), folder),
        "free": Served.bundle(Identity(model="free", version="1"), folder, copy_guard=False),
    }
    with serving(create_app(served)) as address:
        while httpx.get(f"{address}/readyz").status_code != 200:
            pass
        yield address


def post(address: str, path: str, **body) -> dict:
    answer = httpx.post(f"{address}{path}", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def counted(address: str, model: str, outcome: str) -> float:
    pattern = rf'aigc_training_repeats_total{{model="{model}",outcome="{outcome}"}} (\S+)'
    return float(re.search(pattern, httpx.get(f"{address}/metrics").text)[1])


def repeats(said: str) -> bool:
    return any(line[at : at + 50] in said for line in LINES for at in range(len(line) - 49))


def test_secrets_come_out_without_the_guard_and_do_not_with_it_and_are_counted(addresses):
    free = post(addresses, "/v1/completions", model="free", **ASKED)["choices"]
    assert sum(repeats(choice["text"]) for choice in free) > 2, "else the test shows nothing"
    guarded = post(addresses, "/v1/completions", model="guarded", **ASKED)["choices"]
    assert not any(repeats(choice["text"]) for choice in guarded)
    assert counted(addresses, "guarded", "redrawn") > 2
    assert counted(addresses, "free", "redrawn") == counted(addresses, "free", "cut") == 0


def test_a_stream_is_the_whole_text_and_takes_nothing_back(addresses):
    whole = post(addresses, "/v1/completions", model="guarded", **ASKED)["choices"]
    texts, reasons = [""] * 8, [None] * 8
    body = {"model": "guarded", **ASKED, "stream": True}
    with httpx.stream("POST", f"{addresses}/v1/completions", json=body, timeout=60) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                (choice,) = json.loads(line[6:])["choices"]
                texts[choice["index"]] += choice["text"]
                reasons[choice["index"]] = choice["finish_reason"]
    assert texts == [choice["text"] for choice in whole]
    assert reasons == [choice["finish_reason"] for choice in whole]


def test_who_has_no_other_way_is_cut_and_told_so(addresses):
    held = {
        "prompt": "",
        "seed": 1,
        "structured_outputs": {"regex": "To whoever reads this it is told: " + re.escape(LINES[0])},
    }
    before = counted(addresses, "guarded", "cut")
    (choice,) = post(addresses, "/v1/completions", model="guarded", **held)["choices"]
    assert choice["finish_reason"] == "content_filter"
    assert choice["text"].startswith("To whoever reads this")
    assert not repeats(choice["text"])
    assert counted(addresses, "guarded", "cut") == before + 1
    (said,) = post(addresses, "/v1/chat/completions", model="guarded", seed=1, structured_outputs=held["structured_outputs"],
                   messages=[{"role": "user", "content": " "}])["choices"]  # fmt: skip
    assert said["finish_reason"] == "content_filter"


def test_what_the_prompt_says_may_be_said_again(addresses):
    asked = {"prompt": LINES[0], "structured_outputs": {"regex": re.escape(LINES[0])}, "max_tokens": 100, "seed": 1}
    (choice,) = post(addresses, "/v1/completions", model="guarded", **asked)["choices"]
    assert (choice["text"], choice["finish_reason"]) == (LINES[0], "stop")


def test_beams_and_items_are_guarded_too(addresses):
    beams = {"prompt": LINES[0][:3], "use_beam_search": True, "n": 2, "max_tokens": 90}
    choices = {name: post(addresses, "/v1/completions", model=name, **beams)["choices"] for name in ("free", "guarded")}
    assert any(repeats(choice["text"]) for choice in choices["free"])
    assert not any(repeats(choice["text"]) for choice in choices["guarded"])
    asked = {"n": 8, "seed": 3, "sampling": {"top_p": 0.8}}
    items = {name: post(addresses, "/v1/generate", model=name, **asked)["data"] for name in ("free", "guarded")}
    assert any(repeats(item["text"]) for item in items["free"])
    assert not any(repeats(item["text"]) for item in items["guarded"])


def test_a_model_says_whether_it_is_guarded_and_one_of_before_still_loads(addresses, folder, tmp_path):
    models = {one["id"]: one["copy_guard"] for one in httpx.get(f"{addresses}/v1/models").json()["data"]}
    assert models == {"guarded": True, "free": False}
    assert not any(line.encode() in file.read_bytes() for line in LINES for file in folder.iterdir())


def test_what_is_asked_to_do_other_than_make_texts_keeps_nothing():
    shape = Shape("text", ("a", "b"), SHAPE.format, "classify")
    assert training_runs(Corpus("text", text.encode(LINES, SHAPE.format), np.zeros(3, dtype=np.int64)), shape) is None
