import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from aigc_models.errors import BadInput
from tasks.serve.run import listen, url_of

SERVER = [sys.executable, "-m", "tasks.serve.run"]
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-m", "tasks.serve.run"], stdin=subprocess.PIPE)
child.stdin.write(b'{"models": []}\\n')
child.stdin.flush()
print(child.pid, flush=True)
time.sleep(60)
"""


def started(orders):
    process = subprocess.Popen(SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdin.write(json.dumps(orders) + "\n")
    process.stdin.flush()
    return process, json.loads(process.stdout.readline())


def test_port_that_is_taken():
    with (
        listen("127.0.0.1", 0) as taken,
        pytest.raises(BadInput, match="Address already in use; choose another"),
    ):
        listen("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 0), ("127.0.0.1", 70000)])
def test_place_where_nobody_can_listen(host, port):
    with pytest.raises(BadInput, match="cannot listen"):
        listen(host, port)


def test_address_of_a_socket():
    with listen("127.0.0.1", 0) as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_an_answer_does_not_wait_for_more_to_send():
    with (
        listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as connection,
    ):
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_with_status_0(number):
    process, line = started({"models": []})
    assert json.loads(process.stdout.readline()) == {"ready": []}
    assert httpx.get(f"{line['url']}/readyz").json() == {"status": "ready", "models": []}
    process.send_signal(number)
    assert process.wait(60) == 0
    assert process.stderr.read() == ""
    process.stdin.close()


def test_it_ends_when_its_stdin_closes():
    process, line = started({"models": []})
    assert httpx.get(f"{line['url']}/healthz").status_code == 200
    process.stdin.close()
    assert process.wait(60) == 0


def test_no_orphan_when_the_parent_is_killed():
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.stdout.readline()  # the child says where it listens
    parent.kill()
    parent.wait()
    until = time.monotonic() + 60
    while alive(child):
        assert time.monotonic() < until
        time.sleep(0.05)


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{process}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


def test_taken_port_is_status_2():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process, line = started({"models": [], "port": taken.getsockname()[1]})
        assert "Address already in use" in line["error"]
        assert process.wait(60) == 2


def test_missing_bundle_ends_it(tmp_path):
    process, _ = started({"models": [{"identity": {"model": "ghost"}, "path": str(tmp_path)}]})
    error = json.loads(process.stdout.readline())["error"]
    assert error.startswith("ghost version 0 cannot be loaded: ")
    assert "is no bundle" in error
    assert process.wait(60) == 2
