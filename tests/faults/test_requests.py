"""Requests that mean harm get the answers that the lists in `requests/` say, in little memory, and the server goes on."""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import time
from pathlib import Path

import pytest

LISTS = Path(__file__).parent / "requests"
GIVEAWAYS = re.compile(rb"Traceback|site-packages|/tmp/|/home/|/usr/|object at 0x|Error\(")
GOOD = {"model": "letters", "prompt": "The ", "seed": 7, "max_tokens": 16, "label": "calm"}
SERVER_ERRORS = (503, 504)  # those that a request can have without a fault of the server


def listed(name):
    """The attacks of a file in `requests/`."""
    sys.path.insert(0, str(LISTS))
    try:
        return importlib.import_module(name).ATTACKS
    finally:
        sys.path.remove(str(LISTS))


@pytest.fixture(scope="module")
def served(serve_bundles, capable, paint):
    server = serve_bundles({**capable, "paint": paint})
    server.ask("POST", "/v1/completions", GOOD)  # what is imported with the first request is no memory of an attack
    for name in ("paint", "waves", "jigs"):
        server.ask("POST", "/v1/generate", {"model": name})
    server.ask("POST", "/v1/completions", {**GOOD, "structured_outputs": {"regex": "[a-z]+"}})
    return server


def launched(server, attack):
    """The attack's answer, seconds and megabytes."""
    server.watch_peak()
    before, began = server.resident, time.monotonic()
    answer = server.ask(attack.method, attack.path, attack.body, attack.headers)
    figures = {"seconds": round(time.monotonic() - began, 3), "megabytes": round(server.peak - before, 1)}
    noted(attack, answer, figures)
    return answer, figures


def noted(attack, answer, figures):
    """With AIGC_ATTACKS=FILE each attack is a line of JSON there, for the table in docs/security.md."""
    if path := os.environ.get("AIGC_ATTACKS"):
        said = answer.message if answer.status >= 400 else ""
        line = {"name": attack.name, "path": attack.path, "status": answer.status, "says": said[:200], **figures}
        with Path(path).open("a") as file:
            file.write(json.dumps(line) + "\n")


def judged(attack, answer, figures):
    assert answer.status < 500 or answer.status in SERVER_ERRORS
    assert not GIVEAWAYS.search(answer.body), answer.body[:500]
    assert figures["megabytes"] < attack.megabytes
    assert len(answer.body) < 20_000 or answer.status < 400
    if answer.status >= 400:
        assert attack.says in answer.message
    assert "x-request-id" in answer.headers
    assert "x-admin" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.slow
@pytest.mark.parametrize("attack", [*listed("costs"), *listed("fields"), *listed("transport")], ids=lambda attack: attack.name)
def test_request(served, attack):
    answer, figures = launched(served, attack)
    assert answer.status == attack.status, answer.body[:500]
    judged(attack, answer, figures)


@pytest.mark.slow
def test_the_server_is_as_it_was(served):
    before, again = (served.ask("POST", "/v1/completions", GOOD) for _ in range(2))
    texts = [json.loads(answer.body)["choices"] for answer in (before, again)]
    assert texts[0] == texts[1]
    assert served.ask("GET", "/healthz").status == 200
    assert served.process.poll() is None
    assert "Traceback" not in served.log.read_text()


def with_keys(folder):
    """Keys in a workspace, by the words that stand for them in the list."""
    from tasks.serve.doors.keys import add, revoke
    from tasks.stage.settings import Workspace

    workspace = Workspace(folder)
    keys = {name: add(workspace, name, ("generate",)) for name in ("good", "revoked")}
    keys |= {name: add(workspace, name, (name,)) for name in ("promote", "admin")}
    keys["slow"] = add(workspace, "slow", rate=1)
    revoke(workspace, "revoked")
    words = {name: text for name, (_, text) in keys.items()}
    return {**words, "GOOD": words["good"].upper(), "id": keys["good"][0].id, "sha256": keys["good"][0].sha256}


def filled(text, words):
    for name, value in words.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@pytest.mark.slow
def test_requests_to_a_server_with_keys(serve_bundles, settled, capable):
    words: dict[str, str] = {}
    server = serve_bundles({"letters": capable["letters"]}, prepare=lambda folder: words.update(with_keys(folder)))
    server.ask("POST", "/v1/completions", GOOD, {"Authorization": f"Bearer {words['good']}"})
    for attack in listed("keyed"):
        headers = {name: filled(value, words) for name, value in attack.headers.items()}
        aimed = attack._replace(path=filled(attack.path, words), headers=headers)
        answer, figures = launched(server, aimed)
        assert answer.status == aimed.status, answer.body[:500]
        judged(aimed, answer, figures)
        if answer.status == 401:
            assert answer.headers["www-authenticate"] == "Bearer"
        if answer.status == 429:
            assert 1 <= int(answer.headers["retry-after"]) <= 60
    settled(server)  # a request is noted when its answer is out
    log = (server.workspace / ".aigc" / "logs" / "access.jsonl").read_text()
    assert not any(secret in log for name, secret in words.items() if name != "id")
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["status"] for line in lines} == {200, 400, 401, 403, 404, 429}
    assert [line["key"] for line in lines if line["status"] == 429] == ["slow"]
