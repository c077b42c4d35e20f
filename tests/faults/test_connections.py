"""Clients that say nothing, say it slowly, say it by the hundred, or leave: a server closes its doors and keeps nothing."""

from __future__ import annotations

import json
import select
import socket
import time
from contextlib import suppress

import pytest

LIMITS = ("connections=40", "header_seconds=1", "body_seconds=2", "body=200000", "bodies=2000000", "cost=256", "room=512")
TEXT, GOOD = "/v1/completions", {"model": "letters", "prompt": "The ", "seed": 7, "max_tokens": 8}


@pytest.fixture(scope="module")
def served(serve_bundles, capable, paint):
    server = serve_bundles({"letters": capable["letters"], "mind": capable["mind"], "paint": paint}, *LIMITS)
    assert server.ask("POST", TEXT, GOOD).status == 200
    return server


def head(body, **headers):
    fields = {"Host": "localhost", "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    lines = [f"POST {TEXT} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode()


def answer(connection):
    """The status of the answer, and all that came until the server closed."""
    whole = b""
    while part := connection.recv(65536):
        whole += part
    return int(whole.split()[1]) if whole else None, whole


@pytest.mark.slow
@pytest.mark.parametrize("sent", [b"", b"GET ", b"GET /v1/models HTTP/1.1\r\nHost: loc"], ids=["nothing", "a word", "half"])
def test_headers_that_do_not_come(served, sent):
    with served.connect() as connection:
        connection.sendall(sent)
        status, whole = answer(connection)
    assert status == 408
    assert b"did not come within 1 s" in whole


@pytest.mark.slow
def test_headers_that_come_byte_by_byte(served):
    with served.connect() as connection:
        sent = 0
        for byte in b"GET /v1/models HTTP/1.1\r\nX-Slow: " + b"a" * 500:
            if select.select([connection], [], [], 0.05)[0]:
                break
            connection.sendall(bytes([byte]))
            sent += 1
        assert answer(connection)[0] == 408
    assert sent < 500


@pytest.mark.slow
def test_headers_that_come_slowly_behind_a_good_request(served):
    with served.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /v1/mod")
        assert answer(connection)[0] == 408


@pytest.mark.slow
def test_headers_without_end(served):
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + b"X-Large: " + b"a" * 70_000)
        assert answer(connection)[0] == 400


@pytest.mark.slow
@pytest.mark.parametrize("sent", [b"", b'{"model": "let'], ids=["nothing", "half"])
def test_bodies_that_do_not_come(served, sent):
    with served.connect() as connection:
        connection.sendall(head(b" " * 1000) + sent)
        status, whole = answer(connection)
    assert status == 408
    assert b"the body did not come within 2 s" in whole


@pytest.mark.slow
def test_a_body_that_is_longer_than_it_says(served):
    body = json.dumps(GOOD).encode()
    with served.connect() as connection:
        connection.sendall(head(body[:-1], Connection="close") + body)
        assert answer(connection)[0] == 400


@pytest.mark.slow
def test_a_body_in_pieces_without_end(served):
    with served.connect() as connection:
        fields = {"Transfer-Encoding": "chunked"}
        connection.sendall(head(b"", **fields).replace(b"Content-Length: 0\r\n", b""))
        piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
        try:
            for _ in range(100):
                connection.sendall(piece)
        except OSError:
            pass  # closed while it was sent
        assert answer_or_reset(connection) in (413, None)
    assert served.ask("POST", TEXT, GOOD).status == 200


def answer_or_reset(connection):
    try:
        return answer(connection)[0]
    except ConnectionResetError:
        return None


@pytest.mark.slow
def test_half_bodies_by_the_hundred(served, settled):
    """In all they may be 2 MB, each may be 0.2 MB: of 30 of them some are told to come later, and nothing stays."""
    settled(served)
    before, body = served.resident, b"{" + b" " * 150_000
    connections = [served.connect() for _ in range(30)]
    for connection in connections:
        connection.sendall(head(body + b"}") + body)
    statuses = [answer_or_reset(connection) for connection in connections]
    for connection in connections:
        connection.close()
    assert set(statuses) <= {408, 503, None}
    assert statuses.count(503) + statuses.count(None) >= 10
    settled(served)
    assert served.resident < before + 20
    assert served.ask("POST", TEXT, GOOD).status == 200


@pytest.mark.slow
def test_connections_by_the_hundred(served):
    connections = [served.connect() for _ in range(60)]
    refused = [connection for connection in connections if select.select([connection], [], [], 0.5)[0]]
    statuses = [answer(connection)[0] for connection in refused]
    assert statuses.count(503) >= 20
    for connection in connections:
        connection.close()
    until = time.monotonic() + 20
    while served.ask("POST", TEXT, GOOD).status != 200:
        assert time.monotonic() < until
        time.sleep(0.1)


def leave(server, body, after, path=TEXT):
    """Ask, leave after some seconds without the answer, and say how much processor time the server still took."""
    payload = json.dumps(body).encode()
    connection = server.connect()
    connection.sendall(head(payload).replace(TEXT.encode(), path.encode(), 1) + payload)
    time.sleep(after)
    assert not select.select([connection], [], [], 0)[0], "it was answered before the client left"
    connection.close()


LONG = {"model": "mind", "prompt": ["the cat " * 2000] * 8, "max_tokens": 4, "n": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "after"),
    [
        (LONG, 0.2),
        ({**LONG, "echo": True, "logprobs": 5}, 0.2),
        ({**LONG, "use_beam_search": True, "best_of": 2}, 0.2),
        ({"model": "letters", "prompt": ["a"] * 16, "max_tokens": 4000, "logit_bias": {"256": -100}}, 0.5),
    ],
    ids=["prompts", "prompts and what is said of them", "beams", "texts"],
)
def test_work_ends_when_the_client_leaves(served, settled, body, after):
    """What a slice of work takes, and no more: the whole would take seconds."""
    settled(served)
    leave(served, body, after)
    assert settled(served) < 0.4
    metrics = served.ask("GET", "/metrics").body.decode()
    assert "aigc_queue_items 0.0" in metrics


@pytest.mark.slow
def test_an_answer_that_nobody_takes(served):
    """Its texts are made, the buffers are full, the client reads nothing: it is cut off, and its room is free again."""
    asked = {"model": "letters", "n": 8, "max_tokens": 2500, "stream": True, "logit_bias": {"256": -100}, "logprobs": 5}
    payload = json.dumps(asked).encode()
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", served.port))
    connection.sendall(head(payload) + payload)
    assert connection.recv(100).startswith(b"HTTP/1.1 200")
    until = time.monotonic() + 60
    while b"aigc_queue_items 0.0" not in served.ask("GET", "/metrics").body:
        assert time.monotonic() < until
        time.sleep(0.2)
    whole = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(1 << 20):
            whole += part
    assert b"data: [DONE]" not in whole
    connection.close()


@pytest.mark.slow
def test_an_answer_that_is_taken_slowly(served):
    """Longer than the patience with who takes nothing, with pauses that are shorter."""
    asked = {"model": "letters", "prompt": "a", "n": 8, "max_tokens": 1000, "stream": True, "logit_bias": {"256": -100}}
    payload = json.dumps(asked).encode()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.connect(("127.0.0.1", served.port))
        connection.sendall(head(payload, Connection="close") + payload)
        whole, began = b"", time.monotonic()
        while part := connection.recv(1 << 16):
            whole += part
            if time.monotonic() < began + 4:
                time.sleep(0.05)
    assert b"data: [DONE]" in whole


@pytest.mark.slow
def test_a_deadline_ends_the_reading_of_a_prompt(served, settled):
    settled(served)
    refused = served.ask("POST", TEXT, {**LONG, "deadline": 0.2})
    assert refused.status == 504
    assert settled(served) < 0.4


@pytest.mark.slow
def test_a_short_request_is_answered_while_long_prompts_are_read(served):
    """By turns: the long one, which began first, still reads when the short one has its answer."""
    payload = json.dumps(LONG).encode()
    with served.connect() as connection:
        connection.sendall(head(payload) + payload)
        time.sleep(0.1)
        short = served.ask("POST", TEXT, {"model": "mind", "prompt": "The", "max_tokens": 8})
        assert short.status == 200
        assert not select.select([connection], [], [], 0)[0]
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
