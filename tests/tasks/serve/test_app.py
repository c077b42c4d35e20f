import base64
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import numpy as np
import openai
import pytest
from PIL import Image

from tasks.serve.doors.limits import Limits
from tasks.use.provenance import SOURCE_TYPE


@pytest.fixture(scope="module")
def address(start, words, pictures):
    return start(prose=words(), digits=pictures())


@pytest.fixture
def client(address):
    return openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def post(address, path, **body):
    return httpx.post(f"{address}{path}", json=body)


def test_client_lists_models(client):
    models = {model.id: model for model in client.models.list()}
    assert set(models) == {"prose", "digits"}
    assert models["digits"].modality == "image"
    assert models["digits"].labels == ["zero", "one"]
    assert client.models.retrieve("prose").version == "3"


def test_client_completes(client):
    answer = client.completions.create(model="prose", prompt="Once", max_tokens=12, seed=5, n=2, extra_body={"label": "prose"})
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[0].text == "5.0 prose; "  # the two bytes of the next character do not fit
    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[1].text == "5.1 prose; "
    assert [choice.label for choice in answer.choices] == ["prose", "prose"]
    assert answer.usage.prompt_tokens == 4
    assert answer.usage.completion_tokens == 11 + 11
    assert answer.aigc["digital_source_type"] == SOURCE_TYPE
    assert (answer.aigc["model"], answer.aigc["version"], answer.aigc["seed"]) == ("prose", "3", 5)


def test_client_streams(client):
    with client.completions.create(
        model="prose", prompt="", seed=5, stream=True, stream_options={"include_usage": True}
    ) as stream:
        pieces = list(stream)
    text = "".join(choice.text for piece in pieces for choice in piece.choices)
    assert text == ("5.0 None; é" * 7)[:60]
    assert pieces[-2].choices[0].finish_reason == "stop"
    assert pieces[-1].usage.completion_tokens == len(text.encode())


def test_stream_equals_whole(client):
    asked = {"model": "prose", "prompt": "", "seed": 9, "stop": ["; é9.0 No", "zzz"], "n": 2}
    whole = client.completions.create(**asked)
    streamed = {0: "", 1: ""}
    for piece in client.completions.create(**asked, stream=True):
        streamed[piece.choices[0].index] += piece.choices[0].text
    assert streamed == {choice.index: choice.text for choice in whole.choices}
    assert streamed[0] == "9.0 None"


def test_sampling_reaches_the_model(start, words):
    prose = words()
    address = start(prose=prose)
    asked = {"temperature": 0.5, "min_p": 0.1, "top_k": 9, "frequency_penalty": 0.5, "no_repeat_ngram": 4}
    assert post(address, "/v1/completions", **asked).status_code == 200  # the only model: no name needed
    assert prose.sampling == {**asked, "max_length": 512}


def test_client_chats(client):
    asked = {"model": "prose", "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hé"}]}
    answer = client.chat.completions.create(**asked, max_completion_tokens=12, seed=5, n=2)
    assert [choice.message.content for choice in answer.choices] == ["5.0 None; é", "5.1 None; é"]
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.prompt_tokens == len("Be brief.\nHé".encode())
    parts = [{"type": "text", "text": "Be brief.\n"}, {"type": "text", "text": "Hé"}]
    whole = client.chat.completions.create(model="prose", messages=[{"role": "user", "content": parts}], seed=5)
    text, roles = "", []
    for part in client.chat.completions.create(**asked, seed=5, stream=True, stream_options={"include_usage": True}):
        text += "".join(choice.delta.content or "" for choice in part.choices)
        roles += [choice.delta.role for choice in part.choices]
    assert text == whole.choices[0].message.content == ("5.0 None; é" * 7)[:60]
    assert roles[0] == "assistant"
    assert set(roles[1:]) <= {None}
    assert part.usage == whole.usage


def test_what_the_model_says_of_tokens(client):
    answer = client.completions.create(model="prose", prompt="aé", seed=5, max_tokens=12, logprobs=0, echo=True)
    (choice,) = answer.choices
    assert choice.text == "aé5.0 None; é"
    told = choice.logprobs
    assert told.tokens == ["a", "bytes:\\xc3", "bytes:\\xa9", *"5.0 None; ", "bytes:\\xc3", "bytes:\\xa9"]
    assert told.text_offset == [0, 1, 1, *range(2, 13), 12][:15]
    assert told.token_logprobs[:3] == [-1.0] * 3
    streamed = []
    for part in client.completions.create(
        model="prose", prompt="aé", seed=5, max_tokens=12, logprobs=0, echo=True, stream=True
    ):
        streamed += [token for choice in part.choices for token in choice.logprobs.tokens]
    assert streamed == told.tokens
    messages = [{"role": "user", "content": "a"}]
    chat = client.chat.completions.create(model="prose", messages=messages, seed=5, max_tokens=3, logprobs=True, top_logprobs=2)
    assert [each.token for each in chat.choices[0].logprobs.content] == [*"5.0"]


def test_best_of_several(client):
    answer = client.completions.create(model="prose", prompt=["a", "b"], seed=3, max_tokens=20, n=1, best_of=3)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert [choice.logprobs for choice in answer.choices] == [None, None]
    assert answer.usage.completion_tokens > 2 * 20
    items = [choice.item for choice in answer.choices]
    assert items[0] in (0, 1, 2)
    assert items[1] in (3, 4, 5)


@pytest.mark.parametrize("stream", [True, False])
def test_deadline(start, words, stream):
    prose = words(length=100_000, seconds=0.002)
    address = start(prose=prose)
    answer = post(address, "/v1/completions", max_tokens=4000, deadline=0.3, stream=stream)
    error = json.loads(answer.text.strip().splitlines()[-1].removeprefix("data: ") if stream else answer.text)["error"]
    assert "deadline" in error["message"]
    assert answer.status_code == (200 if stream else 504)
    _settled(address)
    _at_rest(prose)


def test_room_is_counted_by_what_is_asked(start, words):
    address = start(Limits(room=8, cost=8), prose=words(length=100_000, seconds=0.002))
    with ThreadPoolExecutor(2) as threads:
        large = threads.submit(post, address, "/v1/completions", max_tokens=4000, n=2, deadline=1)
        time.sleep(0.2)
        refused = post(address, "/v1/completions", max_tokens=1000)
        assert refused.status_code == 429
        assert "there is room for 8" in refused.json()["error"]["message"]
        assert large.result().status_code == 504


def test_a_default_is_no_more_than_is_allowed(start, words):
    prose = words(length=500)
    address = start(Limits(tokens=20), prose=prose)
    assert post(address, "/v1/completions").json()["usage"]["completion_tokens"] <= 20
    assert post(address, "/v1/completions", max_tokens=21).status_code == 400


def test_echo(address):
    assert (
        post(address, "/v1/completions", prompt="Once ", echo=True, seed=1, max_tokens=1).json()["choices"][0]["text"]
        == "Once 1"
    )


def test_what_comes_behind_reaches_the_model(start, words):
    prose = words()
    address = start(prose=prose)
    answer = post(address, "/v1/completions", prompt="a", suffix="é", max_tokens=5).json()["choices"][0]
    assert (prose.suffix, answer["finish_reason"]) == ("é", "length")
    assert prose.sampling["max_length"] == len(b"\xfe" + "é".encode() + b"\xffa") + 5 + 1


def test_client_makes_images(client):
    answer = client.images.generate(model="digits", prompt="one", n=3, extra_body={"seed": 8})
    images = [Image.open(io.BytesIO(base64.b64decode(item.b64_json))) for item in answer.data]
    assert all(image.size == (8, 8) and np.asarray(image).min() > 200 for image in images)
    labels = [json.loads(image.text["aigc"]) for image in images]
    assert [(label["seed"], label["item"]) for label in labels] == [(8, 0), (8, 1), (8, 2)]
    assert labels[0]["data_version"] == "d4ta"
    assert SOURCE_TYPE in images[0].text["XML:com.adobe.xmp"]


def test_image_depends_on_its_own_seed(address):
    many = post(address, "/v1/images/generations", n=6, seed=8).json()["data"]
    alone = post(address, "/v1/images/generations", first=4, seed=8).json()["data"]
    assert alone[0] == many[4]
    assert [item["label"] for item in many] == ["zero", "one"] * 3
    assert len({item["b64_json"] for item in many}) == 6


def test_concurrent_images_share_batches(start, pictures):
    digits = pictures(seconds=0.05)
    address = start(digits=digits)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda seed: post(address, "/v1/images/generations", seed=seed).json(), range(8)))
    assert [answer["aigc"]["seed"] for answer in answers] == list(range(8))
    assert sum(digits.batches) == 8
    assert len(digits.batches) < 6
    assert max(digits.batches) <= 4


def test_every_answer_is_labelled(address):
    for path, model in (("/v1/completions", "prose"), ("/v1/images/generations", "digits")):
        headers = post(address, path, model=model, seed=4).headers
        assert [headers[name] for name in ("x-aigc-model", "x-aigc-version", "x-aigc-seed", "x-ai-generated")] == [
            model,
            "3",
            "4",
            "true",
        ]
    drawn = post(address, "/v1/completions", model="prose").json()
    again = post(address, "/v1/completions", model="prose", seed=drawn["aigc"]["seed"]).json()
    assert again["choices"] == drawn["choices"]


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/v1/completions", {"model": "prosa"}, 404, "'prosa' is not served here; served: digits, prose"),
        ("/v1/completions", {"model": "digits"}, 400, "makes image; those that make text: prose"),
        ("/v1/completions", {"label": "pros"}, 400, "did you mean 'prose'"),
        ("/v1/completions", {"n": 17}, 400, "n: "),
        ("/v1/completions", {"max_tokens": 5000}, 400, "max_tokens: "),
        ("/v1/completions", {"max_tokens": "many"}, 400, "max_tokens: "),
        ("/v1/completions", {"prompt": "x" * 17000}, 400, "prompt: 17,000 bytes asked, this server allows 16,384"),
        ("/v1/completions", {"prompt": [""] * 10, "n": 10}, 400, "prompts times n is 100"),
        ("/v1/completions", {"prompt": []}, 400, "1 to 16 prompts"),
        ("/v1/completions", {"best_of": 2, "n": 3}, 400, "best_of is 2, less than n, which is 3"),
        ("/v1/completions", {"best_of": 2, "stream": True}, 400, "cannot be streamed"),
        ("/v1/completions", {"logprobs": 6}, 400, "logprobs: "),
        ("/v1/completions", {"frequency_penalty": 3}, 400, "frequency_penalty: "),
        ("/v1/completions", {"suffix": "x", "echo": True}, 400, "echo: with a suffix"),
        ("/v1/completions", {"suffix": "x" * 17_000}, 400, "suffix: 17,000 bytes asked"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": ""}], "suffix": "x"}, 400, "suffix"),
        ("/v1/completions", {"seed": -1}, 400, "seed: "),
        ("/v1/images/generations", {"prompt": "a cat"}, 400, "unknown label of digits 'a cat'"),
        ("/v1/images/generations", {"n": 0}, 400, "n: "),
        ("/v1/images/generations", {"size": "1024x1024"}, 400, "makes 8x8, not 1024x1024"),
        ("/v1/images/generations", {"response_format": "url"}, 400, "response_format"),
        ("/v1/chat/completions", {}, 400, "messages: "),
        ("/v1/chat/completions", {"messages": [{"role": "tool", "content": ""}]}, 400, "role"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x" * 9000}] * 2}, 400, "messages: 18,001 bytes"),
        ("/v1/chats", {}, 404, "Not Found"),
        ("/v1/models", {}, 405, "Method Not Allowed"),
    ],
)
def test_refusals(address, path, body, status, message):
    answer = post(address, path, **body)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert message in answer.json()["error"]["message"]


@pytest.mark.parametrize(("content", "status"), [(b"{", 400), (b'{"prompt": "\\ud800"}', 400), (b" " * 1_100_000, 413)])
def test_bad_bodies(address, content, status):
    answer = httpx.post(f"{address}/v1/completions", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_client_raises_its_own_errors(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.completions.create(model="prosa", prompt="")
    assert caught.value.code == "model_not_found"
    assert caught.value.param == "model"


def test_full_queue(start, pictures):
    address = start(Limits(room=4, cost=4), digits=pictures(seconds=0.2))
    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(lambda seed: post(address, "/v1/images/generations", seed=seed, n=2), range(3)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 1
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["error"]["code"] == "queue_full"
    assert post(address, "/v1/images/generations", n=4).status_code == 200  # the room is free again


@pytest.mark.parametrize("stream", [True, False])
def test_client_that_leaves_ends_the_generation(start, words, stream):
    prose = words(length=100_000, seconds=0.002)
    address = start(prose=prose)
    for patience in (0.2, 2.0, 20.0):  # on a busy machine it takes a while until something is drawn
        with (
            suppress(httpx.ReadTimeout),
            httpx.stream("POST", f"{address}/v1/completions", json={"stream": stream}, timeout=patience) as answer,
        ):
            next(answer.iter_lines())
        if prose.drawn:
            break
    _settled(address)
    _at_rest(prose)
    assert 0 < prose.drawn < 50_000, "it ended before its end"


def _at_rest(prose):
    """Waits until nothing has been drawn for 0.3 s: the one character under way may still come, no more."""
    limit, drawn = time.monotonic() + 30, -1
    while drawn != prose.drawn:
        assert time.monotonic() < limit, "the generation goes on though nobody listens"
        drawn = prose.drawn
        time.sleep(0.3)


def _settled(address):
    """Wait until nothing is in the queue."""
    until = time.monotonic() + 30
    while "aigc_queue_items 0.0" not in httpx.get(f"{address}/metrics").text:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_streams_take_turns(start, words):
    address = start(prose=words(length=400, seconds=0.002))
    with ThreadPoolExecutor(2) as threads:
        long = threads.submit(post, address, "/v1/completions")
        time.sleep(0.1)
        post(address, "/v1/completions", max_tokens=20)
        assert not long.done()  # the short one did not wait for its end
    assert long.result().status_code == 200


def test_health_does_not_wait_for_inference(start, pictures):
    address = start(digits=pictures(seconds=2))
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(post, address, "/v1/images/generations")
        time.sleep(0.1)
        assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
        assert not slow.done()


def test_metrics(start, words, pictures):
    address = start(prose=words(), digits=pictures())
    post(address, "/v1/images/generations", n=3)
    post(address, "/v1/completions", max_tokens=7, seed=11)
    httpx.get(f"{address}/no/such/path")
    figures = httpx.get(f"{address}/metrics").text
    assert 'aigc_requests_total{route="/v1/completions",status="200"} 1.0' in figures
    assert 'aigc_requests_total{route="other",status="404"} 1.0' in figures
    assert 'aigc_generated_items_total{model="digits"} 3.0' in figures
    assert 'aigc_generated_tokens_total{model="prose"} 7.0' in figures
    assert "aigc_ready 1.0" in figures


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_need_nothing_from_elsewhere(address, path):
    page = httpx.get(f"{address}{path}")
    assert page.headers["content-type"].startswith("text/html")
    assert "//" not in page.text.replace("  // ", "")


def test_reference_names_the_paths(address):
    paths = httpx.get(f"{address}/openapi.json").json()["paths"]
    assert {"/v1/models", "/v1/completions", "/v1/images/generations", "/healthz", "/readyz", "/metrics"} <= set(paths)
    assert httpx.get(f"{address}/docs").status_code == 200
