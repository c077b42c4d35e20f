"""Held texts over HTTP, by models that learnt nothing of the kind: OpenAI's and vLLM's fields, and what is refused."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import jsonschema
import openai
import pytest
import torch

from aigc_models.bundle import Card
from aigc_models.capabilities import capabilities
from aigc_models.families import transformer
from aigc_models.generator import Generator
from aigc_models.modalities import text

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "kind": {"enum": ["cat", "dog"]},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 8}, "maxItems": 3},
    },
    "required": ["name", "age", "kind", "tags"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
WILD = "((a{9,100}){9,100}){9,100}"


def in_pieces():
    """An untrained transformer of some 300 pieces."""
    texts = ["the cat sat on the mat, and the dog sat on the cat", '{"name": "dog", "kind": "cat"}'] * 9
    form = text.learned(text.Format(length=64, tokeniser="bpe", pieces=300), texts)
    card = Card(name="pieces", family="transformer", modality="text", format=form.model_dump(), labels=(), micro_batch=4)
    torch.manual_seed(0)
    model = transformer.build(transformer.SIZES["debug"], card.shape).eval()
    return Generator(card.model_copy(update={"capabilities": capabilities(model)}), model, text, form)


@pytest.fixture(scope="module")
def address(start, capable):
    return start(letters=Generator.load(capable["letters"]), mind=Generator.load(capable["mind"]), pieces=in_pieces())


@pytest.fixture
def client(address):
    return openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def post(address, path="/v1/completions", **body):
    return httpx.post(f"{address}{path}", json={"model": "pieces", **body}, timeout=60)


@pytest.mark.parametrize("model", ["letters", "pieces", "mind"])
def test_client_gets_json_of_a_schema(client, model):
    asked = {"model": model, "max_tokens": 400, "extra_body": {"response_format": FORMAT}}
    for seed in (0, 1):
        answer = client.completions.create(prompt="A person: ", seed=seed, n=10, **asked)
        for choice in answer.choices:
            jsonschema.validate(json.loads(choice.text), PERSON)
            assert choice.finish_reason == "stop"
    assert len({choice.text for choice in answer.choices}) > 5


def test_client_chats_in_json(client):
    asked = {"model": "pieces", "messages": [{"role": "user", "content": "Who?"}], "seed": 3}
    whole = client.chat.completions.create(**asked, response_format=FORMAT).choices[0].message.content
    jsonschema.validate(json.loads(whole), PERSON)
    parts = client.chat.completions.create(**asked, response_format=FORMAT, stream=True)
    assert "".join(part.choices[0].delta.content or "" for part in parts) == whole
    free = client.chat.completions.create(**asked, response_format={"type": "text"}, max_tokens=30)
    assert free.choices[0].message.content == client.chat.completions.create(**asked, max_tokens=30).choices[0].message.content
    held = client.chat.completions.create(**asked, response_format={"type": "json_object"}, max_tokens=40).choices[0]
    assert held.message.content.startswith("{")
    assert held.finish_reason == "length" or isinstance(json.loads(held.message.content), dict)


def test_client_gets_texts_of_an_expression(client):
    held = {"structured_outputs": {"regex": r"(cat|dog)s? [a-f]{3,6}\."}}
    answer = client.completions.create(model="letters", prompt="Two ", n=12, seed=4, logprobs=0, extra_body=held)
    for choice in answer.choices:
        assert re.fullmatch(r"(cat|dog)s? [a-f]{3,6}\.", choice.text)
        assert len(choice.logprobs.tokens) == len(choice.text)
    alone = client.completions.create(model="letters", prompt="Two ", seed=4, extra_body={**held, "first": 7})
    assert alone.choices[0].text == answer.choices[7].text, "whatever rides along"
    cut = client.completions.create(model="letters", prompt="", seed=4, max_tokens=5, extra_body=held).choices[0]
    assert (len(cut.text), cut.finish_reason) == (5, "length")
    schema = client.completions.create(
        model="letters", prompt="", seed=4, extra_body={"structured_outputs": {"json": {"enum": [7]}}}
    )
    assert schema.choices[0].text == "7"


def test_items_are_held_too(address):
    items = post(address, "/v1/generate", n=3, seed=2, sampling={"regex": "[a-f]{4}", "temperature": 0.7}).json()["data"]
    assert all(re.fullmatch("[a-f]{4}", item["text"]) for item in items)
    refused = post(address, "/v1/generate", sampling={"beams": 2})
    assert (refused.status_code, "use_beam_search" in refused.json()["error"]["message"]) == (400, True)


def test_biases_force_and_ban_tokens(address):
    forced = post(address, model="letters", max_tokens=6, seed=1, logit_bias={"122": 100}, temperature=0.5)
    assert forced.json()["choices"][0]["text"] == "zzzzzz"
    without_end = post(address, model="mind", max_tokens=300, seed=1, n=4, logit_bias={"256": -100})
    assert {choice["finish_reason"] for choice in without_end.json()["choices"]} == {"length"}


def test_client_gets_the_likeliest_texts(client, capable):
    asked = {"model": "mind", "prompt": "The ", "max_tokens": 30}
    searched = {"use_beam_search": True, "label": "calm"}
    answer = client.completions.create(**asked, n=3, best_of=8, extra_body=searched)
    mind, how = Generator.load(capable["mind"]), {"beams": 8, "max_length": 4 + 30 + 1}
    best = mind.generate(3, label="calm", prompt="The ", **how)
    assert [choice.text for choice in answer.choices] == [text.removeprefix("The ")[:30] for text in best]
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens <= 3 * 30
    again = client.completions.create(**asked, seed=5, n=2, best_of=8, extra_body=searched)
    assert [choice.text for choice in again.choices] == [choice.text for choice in answer.choices[:2]]
    long = client.completions.create(**asked, n=3, best_of=8, extra_body={**searched, "length_penalty": 3})
    assert len(long.choices[0].text) >= len(answer.choices[0].text)
    held = {**searched, "structured_outputs": {"regex": "(red|blue) (cat|dog)"}, "echo": True}
    colours = client.completions.create(**{**asked, "prompt": ["The ", "THE "]}, n=4, extra_body=held)
    texts = [choice.text for choice in colours.choices]
    assert {text[4:] for text in texts[:4]} == {"red cat", "red dog", "blue cat", "blue dog"}
    assert texts[0].startswith("The red"), "which is what it learnt"
    assert all(text.startswith("THE ") for text in texts[4:])


def test_others_are_answered_while_a_search_goes_on(address):
    with ThreadPoolExecutor(1) as threads:
        slow = {"model": "mind", "use_beam_search": True, "n": 16, "max_tokens": 2000, "length_penalty": 100, "deadline": 2}
        search = threads.submit(post, address, **slow, logit_bias={"256": -100})
        time.sleep(0.3)
        assert post(address, model="mind", max_tokens=3, seed=1).status_code == 200
        assert not search.done()
        assert search.result().status_code in (200, 504)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"use_beam_search": True, "stream": True}, "neither stream nor logprobs"),
        ({"use_beam_search": True, "top_k": 4}, "for which top_k says nothing"),
        ({"length_penalty": 1}, "say use_beam_search as well"),
        ({"use_beam_search": True, "n": 3, "structured_outputs": {"regex": "a|b"}}, "3 beams found 2 texts"),
        ({"structured_outputs": {"regex": "["}}, "regex: unclosed character class"),
        ({"structured_outputs": {"regex": "a", "json": {}}}, "structured_outputs: "),
        ({"structured_outputs": {}}, "either a regex, a json schema, or a grammar"),
        ({"structured_outputs": {"choice": ["a"]}}, "structured_outputs"),
        ({"structured_outputs": {"regex": "a"}, "response_format": {"type": "json_object"}}, "leave one of them out"),
        ({"response_format": {"type": "json_schema"}}, "response_format: "),
        ({"response_format": {"type": "json"}}, "response_format.type: "),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, "response_format.json_schema.schema: "),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "objekt"}}}},
            "json_schema: Invalid type: objekt",
        ),
        ({"logit_bias": {"9": 101}}, "logit_bias.9: "),
        ({"logit_bias": {"100000": 1}}, "logit_bias: there is no symbol 100000"),
        ({"structured_outputs": {"regex": WILD}, "max_tokens": 400}, "regex: cannot be followed any further"),
    ],
)
def test_refusals(address, asked, message):
    answer = post(address, seed=1, **asked)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_who_asks_for_too_much_harms_nobody_else(address):
    streamed = post(address, structured_outputs={"regex": WILD}, seed=1, max_tokens=400, stream=True)
    last = json.loads(streamed.text.strip().splitlines()[-1].removeprefix("data: "))
    assert last["error"]["message"].startswith("regex: cannot be followed")
    huge = post(address, structured_outputs={"regex": "(a{1000}){1000}"}, max_tokens=20).json()["choices"][0]
    assert (set(huge["text"]), huge["finish_reason"]) == ({"a"}, "length")
    assert post(address, max_tokens=5, seed=1).status_code == 200
