import json

import httpx
import openai
import pytest

from aigc_models.generator import Generator


@pytest.fixture
def address(start, replier, tmp_path):
    return start(shop=Generator.load(replier, "cpu"), feedback=tmp_path / "feedback")


def client(address):
    return openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def said(*contents):
    return [{"role": role, "content": content} for role, content in contents]


def test_a_reply_names_its_case_and_what_is_not_known_is_said_and_counted(address):
    body = httpx.post(f"{address}/v1/replies", json={"question": "refund please", "count": 2}, timeout=60).json()
    assert (body["answered"], body["text"]) == (True, "This is how refund works.")
    assert (body["data"][0]["given"], body["data"][0]["case"]["question"]) == (True, "refund please")
    assert len(body["data"]) == 2
    unknown = httpx.post(f"{address}/v1/replies", json={"question": "zebra crossing"}, timeout=60).json()
    assert (unknown["answered"], unknown["text"]) == (False, "I do not know.")
    metrics = httpx.get(f"{address}/metrics", timeout=60).text
    assert 'aigc_replies_total{model="shop",outcome="given"} 1.0' in metrics
    assert 'aigc_replies_total{model="shop",outcome="unknown"} 1.0' in metrics


def test_a_conversation_is_answered_by_what_the_user_said_last_alone(address):
    messages = said(("system", "Be brief."), ("user", "refund please"), ("assistant", "..."), ("user", "my parcel is late"))
    whole = client(address).chat.completions.create(model="shop", messages=messages)
    (choice,) = whole.choices
    assert (choice.message.content, choice.finish_reason) == ("This is how parcel works.", "stop")
    assert choice.answered
    assert choice.reply["case"] == {"id": choice.reply["case"]["id"], "question": "my parcel is late"}
    assert whole.usage.completion_tokens == len("This is how parcel works.")
    unknown = client(address).chat.completions.create(model="shop", messages=said(("user", "zebra")))
    assert (unknown.choices[0].message.content, unknown.choices[0].answered) == ("I do not know.", False)


def test_a_stream_gives_the_same_and_an_answer_is_cut_only_where_that_is_asked_for(address):
    stream = client(address).chat.completions.create(
        model="shop", messages=said(("user", "gift again")), stream=True, stream_options={"include_usage": True}
    )
    pieces = list(stream)
    assert "".join(piece.choices[0].delta.content for piece in pieces if piece.choices) == "This is how gift works."
    assert pieces[-1].usage.completion_tokens == 23
    cut = client(address).chat.completions.create(model="shop", messages=said(("user", "gift again")), max_tokens=7)
    assert (cut.choices[0].message.content, cut.choices[0].finish_reason) == ("This is", "length")


def test_the_answers_of_a_question_that_is_asked_warm_are_all_answers_of_the_past(address):
    answers = {f"This is how {word} works." for word in ("cancel", "parcel", "refund", "hours", "invoice", "password")}
    for seed in range(5):
        chat = client(address).chat.completions.create(
            model="shop", messages=said(("user", "cancel refund")), temperature=1.5, seed=seed, n=2
        )
        assert {choice.message.content for choice in chat.choices} <= answers | {"I do not know."}


def test_what_asks_for_a_text_to_be_made_is_refused(address):
    for options, message in (
        ({"logprobs": True}, "logprobs: this model replies"),
        ({"response_format": {"type": "json_object"}}, "response_format: this model replies"),
        ({"logit_bias": {"10": -100}}, "logit_bias: this model replies"),
    ):
        with pytest.raises(openai.BadRequestError, match=message):
            client(address).chat.completions.create(model="shop", messages=said(("user", "gift")), **options)
    with pytest.raises(openai.BadRequestError, match="the user says nothing"):
        client(address).chat.completions.create(model="shop", messages=said(("assistant", "gift")))
    with pytest.raises(openai.BadRequestError, match="asked to match text"):
        client(address).completions.create(model="shop", prompt="gift")


def test_feedback_is_kept_for_the_next_training(address, tmp_path, start, replier):
    right = {"question": "where is it", "answer": "I do not know.", "good": False, "correction": "On its way."}
    answer = httpx.post(f"{address}/v1/feedback", json=right, timeout=60)
    assert (answer.status_code, answer.json()) == (200, {"kept": True, "dataset": "shop"})
    (line,) = (tmp_path / "feedback" / "shop.jsonl").read_text().splitlines()
    assert (json.loads(line)["question"], json.loads(line)["answer"]) == ("where is it", "On its way.")
    empty = httpx.post(f"{address}/v1/feedback", json={**right, "question": ""}, timeout=60)
    assert empty.status_code == 400
    nowhere = start(shop=Generator.load(replier, "cpu"))
    refused = httpx.post(f"{nowhere}/v1/feedback", json=right, timeout=60)
    assert (refused.status_code, refused.json()["error"]["message"][:27]) == (403, "this server keeps no feedba")
