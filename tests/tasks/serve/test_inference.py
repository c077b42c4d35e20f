import base64
import io

import httpx
import numpy as np
import openai
import pytest
from PIL import Image

from aigc_models.generator import Generator


@pytest.fixture(scope="module")
def address(start, answering, capable):
    bundles = {"squares": answering["squares"], "mind": capable["mind"], "waves": capable["waves"]}
    return start(**{name: Generator.load(folder) for name, folder in bundles.items()})


def post(address, path, **body):
    return httpx.post(f"{address}{path}", json=body, timeout=30)


def test_models_say_what_they_can(address):
    models = {model["id"]: model["capabilities"] for model in httpx.get(f"{address}/v1/models").json()["data"]}
    assert models["waves"] == ["generates", "forecasts"]
    assert {"streams", "encodes", "classifies"} <= set(models["mind"])


@pytest.mark.parametrize("form", ["float", "base64", None])
def test_client_embeds(address, capable, form):
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)
    options = {"encoding_format": form} if form else {}
    answer = client.embeddings.create(model="mind", input=["The red cat.", "THE OLD HAT"], **options)
    vectors = [item.embedding for item in answer.data]
    if form == "base64":
        vectors = [np.frombuffer(base64.b64decode(vector), "<f4") for vector in vectors]
    same = Generator.load(capable["mind"]).embed(["The red cat.", "THE OLD HAT"])
    assert np.allclose(vectors, same.numpy(), atol=1e-6)
    assert [item.index for item in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens == 23
    assert answer.model_extra["member"] == "rnn"


def test_forecast_of_the_newest_and_of_a_given_past(address):
    answer = post(address, "/v1/forecast", levels=[0.1, 0.9])
    body = answer.json()
    assert answer.headers["x-aigc-model"] == body["aigc"]["model"] == "waves"
    assert body["data"][0]["times"][0] == "1989-09-18"
    low, high = body["data"][0]["quantiles"]["height"]
    assert all(a < b for a, b in zip(low, high, strict=True))
    values = {"values": {"level": [10 + at % 3 for at in range(30)]}}
    two = post(address, "/v1/forecast", past=[values, values]).json()
    assert [row["times"][0] for row in two["data"]] == ["30", "30"]
    assert two["levels"] == [0.1, 0.25, 0.5, 0.75, 0.9]


def test_texts_are_classified(address):
    answer = post(address, "/v1/classify", model="mind", input=["The red cat sat on the hat.", "THE OLD CAT SAT ON THE MAT."])
    assert [row["label"] for row in answer.json()["data"]] == ["calm", "loud"]
    row = answer.json()["data"][0]
    assert row["probability"] == row["probabilities"]["calm"] > 0.9
    assert sum(row["probabilities"].values()) == pytest.approx(1)
    assert answer.headers["x-ai-generated"] == "true"


def test_pictures_are_given_as_base64(address):
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 4), 200, np.uint8)).save(buffer, "PNG")
    text = base64.b64encode(buffer.getvalue()).decode()
    capable = "classifies" in httpx.get(f"{address}/v1/models/squares").json()["capabilities"]
    for given in (text, f"data:image/png;base64,{text}"):
        answer = post(address, "/v1/classify", model="squares", input=given)
        if capable:
            assert answer.json()["data"][0]["label"] in ("dark", "light")
        else:
            assert "cannot" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/v1/forecast", {"model": "mind"}, "'mind' cannot; it streams, scores"),
        ("/v1/forecast", {"levels": [0.5, 0.1]}, "ascending"),
        ("/v1/forecast", {"levels": [1.5]}, "levels"),
        ("/v1/forecast", {"past": []}, "past"),
        ("/v1/forecast", {"past": "time,height\n1,1\n2,1\n"}, "past[0]: the series has 2 steps; 24 are needed"),
        ("/v1/forecast", {"horizon": 3}, "'horizon' is not supported here"),
        ("/v1/classify", {"model": "waves", "input": "x"}, "cannot"),
        ("/v1/embeddings", {"model": "mind"}, "input: Field required"),
        ("/v1/embeddings", {"model": "mind", "input": []}, "input"),
        ("/v1/embeddings", {"model": "mind", "input": [[1, 2]]}, "input"),
        ("/v1/embeddings", {"model": "mind", "input": "x", "dimensions": 3}, "has 16, not 3"),
        ("/v1/embeddings", {"model": "mind", "input": "a\0b"}, "input[0]: holds a NUL"),
    ],
)
def test_refusals(address, path, body, message):
    answer = post(address, path, **body)
    assert answer.status_code == 400, answer.text
    assert message in answer.json()["error"]["message"]


def test_the_reference_names_every_endpoint(address):
    paths = httpx.get(f"{address}/openapi.json").json()["paths"]
    assert {"/v1/audio/speech", "/v1/generate", "/v1/classify", "/v1/forecast", "/v1/embeddings"} <= set(paths)


def test_a_generated_text_is_explained_token_by_token(start, capable):
    address = start(tales=Generator.load(capable["mind"], "cpu"))
    body = httpx.post(f"{address}/v1/explain", json={"input": ["The red zat"], "label": "calm"}, timeout=60).json()
    (row,) = body["data"]
    assert "".join(token["text"] for token in row["tokens"]) == "The red zat"
    assert row["tokens"][8]["likeliest"] == "c"
    assert set(row["tokens"][8]["members"]) == {"ngram", "rnn"}
    assert row["nats"] < 0
    wrong = httpx.post(f"{address}/v1/explain", json={"input": "a", "label": "hoarse"}, timeout=60)
    assert wrong.status_code == 400
