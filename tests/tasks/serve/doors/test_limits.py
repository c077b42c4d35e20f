import pytest
from pydantic import ValidationError

from aigc_models.errors import BadInput
from tasks.serve.asking import GenerateRequest
from tasks.serve.doors.limits import Limits, cost
from tasks.serve.schemas import CompletionRequest


def test_what_a_request_costs():
    assert cost(5) == 5
    assert cost(1, symbols=4096) == 4
    assert cost(1, symbols=4097) == 5
    assert cost(3, symbols=10) == 3
    assert cost(2, steps=8) == 2
    assert cost(2, steps=9) == 4
    assert cost(64, steps=1000) == 64 * 125
    assert cost(1, symbols=10**18) == -(-(10**18) // 1024)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (CompletionRequest(max_tokens=101), "max_tokens: 101 asked, this server allows 100"),
        (CompletionRequest(prompt=["a", "é" * 50]), "prompt: 100 bytes asked, this server allows 99 bytes"),
        (GenerateRequest(count=7), "count: 7 asked, this server allows 6"),
        (GenerateRequest(sampling={"steps": 21}), "sampling.steps: 21 asked, this server allows 20"),
        (GenerateRequest(sampling={"max_length": 1e300}), "sampling.max_length: 1e\\+300 asked"),
    ],
)
def test_what_is_more_than_allowed_is_refused(asked, message):
    limits = Limits(tokens=100, prompt=99, items=6, steps=20)
    with pytest.raises(BadInput, match=message):
        limits.check(asked)


def test_what_is_allowed_is_allowed():
    limits = Limits(tokens=100, prompt=99, items=6, steps=20)
    limits.check(CompletionRequest(max_tokens=100, prompt=["a" * 99, ""]))
    limits.check(GenerateRequest(n=6, sampling={"steps": 20, "temperature": 0.5}))


def test_a_request_must_fit_into_the_room():
    with pytest.raises(ValidationError, match="cost is 200, more than room, which is 100"):
        Limits(cost=200, room=100)
