import json
import logging
import time

import httpx
import pytest

from aigc_models.errors import BadInput
from tasks.serve.doors import access_log
from tasks.serve.doors.access_log import log_to


@pytest.fixture(autouse=True)
def no_handler_stays():
    yield
    for handler in access_log.log.handlers:
        handler.close()
    access_log.log.handlers = []
    access_log.log.setLevel(logging.NOTSET)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_a_request(start, words, tmp_path):
    path = tmp_path / "logs" / "access.jsonl"
    log_to(path)
    address = start(prose=words())
    body = {"prompt": "a secret", "max_tokens": 3}
    answer = httpx.post(f"{address}/v1/completions", json=body, headers={"X-Request-ID": "mine-7"})
    assert answer.headers["x-request-id"] == "mine-7"
    other = httpx.get(f"{address}/v1/models", headers={"X-Request-ID": "not mine; 7"})
    assert other.headers["x-request-id"] != "not mine; 7"
    httpx.get(f"{address}/nowhere/secret")
    until = time.monotonic() + 20
    while len(lines(path)) < 3 and time.monotonic() < until:  # a request is noted when its answer is out
        time.sleep(0.01)
    first, second, third = lines(path)
    assert first["request"] == "mine-7"
    assert first["models"] == ["prose/3"]
    assert (first["method"], first["route"], first["status"], first["client"]) == ("POST", "/v1/completions", 200, "127.0.0.1")
    assert first["seconds"] > 0
    assert second["request"] == other.headers["x-request-id"]
    assert (third["route"], third["status"]) == ("other", 404)
    assert "secret" not in path.read_text()


def test_a_full_file_is_put_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(access_log, "BYTES", 100)
    path = tmp_path / "access.jsonl"
    log_to(path)
    for at in range(10):
        access_log.log.info("%s", json.dumps({"at": at, "text": "a" * 60}))
    assert lines(path)[-1]["at"] == 9
    assert len(list(tmp_path.iterdir())) == access_log.FILES


def test_a_place_where_no_file_can_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot write to"):
        log_to(tmp_path / "file" / "access.jsonl")
