import httpx
import pytest

from tasks.serve.requests import header


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("digits", "digits"),
        ("a b/c:d=e", "a b/c:d=e"),
        ("данные", "%D0%B4%D0%B0%D0%BD%D0%BD%D1%8B%D0%B5"),
        ("100%", "100%25"),
        ("x\r\nSet-Cookie: a=b", "x%0D%0ASet-Cookie: a=b"),
        ("\U0001f600", "%F0%9F%98%80"),
    ],
)
def test_any_text_in_a_header(text, value):
    assert header(text) == value


@pytest.mark.parametrize("name", ["данные", "模型", "naïve"])
def test_a_model_whose_name_is_in_any_script(start, words, pictures, name):
    address = start(**{name: words()})
    answer = httpx.post(f"{address}/v1/completions", json={"model": name, "max_tokens": 3})
    assert answer.status_code == 200
    assert answer.json()["model"] == name
    assert answer.headers["x-aigc-model"] == header(name)
    streamed = httpx.post(f"{address}/v1/completions", json={"model": name, "max_tokens": 3, "stream": True})
    assert streamed.status_code == 200
    assert httpx.get(f"{address}/v1/models/{name}").json()["id"] == name
