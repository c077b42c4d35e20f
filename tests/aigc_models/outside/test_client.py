"""The client and a real HTTP server: it answers, is slow, talks nonsense, is large, redirects, dies."""

import threading
import time

import pytest

from aigc_models.errors import Unreachable
from aigc_models.outside import client
from aigc_models.outside.client import Answer, Client, Refused, remembered


def asked(endpoint, *prompts, **options):
    return Client(endpoint.url, "mind", **{"retries": 0, "timeout": 5.0, **options}).ask(prompts)


def test_answers_come_in_order_and_the_same_prompt_is_sent_once(endpoint):
    endpoint.reply = lambda body: (200, endpoint.said(body["messages"][0]["content"].upper()))
    answers = asked(endpoint, "one", "two", "one")
    assert [answer.text for answer in answers] == ["ONE", "TWO", "ONE"]
    assert len(endpoint.requests) == 2
    body = endpoint.requests[0].body
    assert (body["model"], body["temperature"], body["max_tokens"], body["logprobs"]) == ("mind", 0, 16, True)
    assert endpoint.requests[0].path == "/v1/chat/completions"


def test_both_dialects_with_what_the_first_token_could_have_been(endpoint):
    endpoint.reply = lambda body: (200, endpoint.said("up", {"up": -0.1, "down": -2.4}))
    (chat,) = asked(endpoint, "x")
    assert chat == Answer("up", {"up": -0.1, "down": -2.4})
    logprobs = {"tokens": ["\n", "up"], "top_logprobs": [{"\n": 0.0}, {"up": -0.1, "down": -2.4}]}
    endpoint.reply = lambda body: (200, {"choices": [{"text": "up", "logprobs": logprobs}]})
    (plain,) = asked(endpoint, "x", api="completions")
    assert plain == chat
    assert endpoint.requests[-1].path == "/v1/completions"
    assert endpoint.requests[-1].body["prompt"] == "x"


def test_the_key_comes_from_the_environment_and_is_missed_before_anything_is_sent(endpoint, monkeypatch):
    endpoint.reply = lambda body: (200, endpoint.said("up"))
    monkeypatch.setenv("MOOD_API_KEY", "s3cret")
    asked(endpoint, "x", key_variable="MOOD_API_KEY")
    assert endpoint.requests[0].headers["Authorization"] == "Bearer s3cret"
    monkeypatch.delenv("MOOD_API_KEY")
    (refused,) = asked(endpoint, "x", key_variable="MOOD_API_KEY")
    assert isinstance(refused, Refused)
    assert "MOOD_API_KEY holds no key" in str(refused)
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        ((500, b"oh"), Unreachable, "it answers 500"),
        ((429, b"later"), Unreachable, "it answers 429"),
        ((401, b"who?"), Refused, "it answers 401 Unauthorized: check the address, the model's name and the key"),
        ((302, b"http://127.0.0.1:9/v1/elsewhere"), Refused, "a redirect is not followed"),
        ((200, b"<html>welcome</html>"), Unreachable, "no chat/completions in OpenAI's form"),
        ((200, b'{"choices": []}'), Unreachable, "no chat/completions in OpenAI's form"),
        ((200, b'{"choices": [{"message": {"content": null}}]}'), Unreachable, "no chat/completions in OpenAI's form"),
        ((200, b"[" * 100_000), Unreachable, "no chat/completions in OpenAI's form"),
        ((200, b"x" * (client.LARGEST + 1)), Unreachable, "more than 1,048,576 bytes"),
    ],
)
def test_what_is_no_answer_is_a_reason_without_the_prompt(endpoint, reply, kind, reason):
    endpoint.reply = lambda body: reply
    (answer,) = asked(endpoint, "private words")
    assert type(answer) is kind
    assert reason in str(answer)
    assert "private" not in str(answer)


def test_who_is_slow_is_not_waited_for(endpoint):
    release = threading.Event()
    endpoint.reply = lambda body: ((release.wait(30) and 200) or 200, endpoint.said("up"))
    (answer,) = asked(endpoint, "x", timeout=0.2)
    release.set()
    assert str(answer) == "it did not answer within 0.2 s"


def test_another_attempt_may_be_answered(endpoint, monkeypatch):
    monkeypatch.setattr(client, "PAUSE", 0.0)
    endpoint.reply = lambda body: (200, endpoint.said("up")) if len(endpoint.requests) > 1 else (503, b"")
    (answer,) = asked(endpoint, "x", retries=1)
    assert answer.text == "up"


def test_who_fails_in_a_row_is_left_alone_for_a_while(endpoint, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(client.time, "monotonic", lambda: now[0])
    endpoint.reply = lambda body: (500, b"")
    asking = Client(endpoint.url, "mind", retries=0, at_once=1)
    answers = asking.ask([str(number) for number in range(20)])
    assert len(endpoint.requests) == client.IN_A_ROW
    assert all(isinstance(answer, Unreachable) for answer in answers)
    assert "left alone for 30 s; last: it answers 500" in str(answers[-1])
    now[0] += client.REST + 1
    endpoint.reply = lambda body: (200, endpoint.said("up"))
    assert asking.ask(["x"])[0].text == "up"


def test_who_is_gone_is_said(endpoint):
    endpoint.stop()
    (answer,) = asked(endpoint, "x")
    assert "it cannot be reached" in str(answer)


def test_within_a_block_the_same_is_asked_once_and_failures_again(endpoint):
    endpoint.reply = lambda body: (200, endpoint.said("up")) if len(endpoint.requests) != 2 else (500, b"")
    with remembered():
        first, second = asked(endpoint, "x"), asked(endpoint, "x", "y")
        assert isinstance(second[1], Unreachable)
        third = asked(endpoint, "x", "y")
    assert [first[0].text, second[0].text, third[1].text] == ["up", "up", "up"]
    assert len(endpoint.requests) == 3
    assert asked(endpoint, "x")[0].text == "up"
    assert len(endpoint.requests) == 4


def test_no_more_are_asked_at_once_than_allowed(endpoint):
    lock, now, most = threading.Lock(), [0], [0]

    def reply(body):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        return 200, endpoint.said("up")

    endpoint.reply = reply
    asked(endpoint, *map(str, range(12)), at_once=3)
    assert 1 < most[0] <= 3
