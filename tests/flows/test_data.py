"""Sources that do not answer at once, through Prefect: what comes by itself is waited for, what is wrong is said at once."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from aigc_models.errors import BadInput
from flows.flow import flow
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.stage import stage

TABLE = "text\n" + "\n".join(f"a letter of {number} words" for number in range(40)) + "\n"
AN_ATTEMPT = 2  # requests: for the cache key, an error of which Prefect passes over, and by the stage


@flow
def ingestion(source):
    return ingest(source)


@pytest.fixture
def server(execution, monkeypatch):
    """The address of a server; it answers with the statuses that were put into `statuses`, then with a table."""
    statuses, asked = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status = statuses.pop(0) if statuses else 200
            body = TABLE.encode() if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            return None

    monkeypatch.setattr(stage, "PAUSES", (0.01, 0.01))
    monkeypatch.setenv("AIGC_WORKSPACE", str(execution.workspace.root))
    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}", statuses, asked
        listening.shutdown()
        thread.join()


def source(address, name):
    return SourceSettings(name=name, location=f"{address}/{name}.csv", modality="text", content="text")


def test_a_server_that_fails_twice_is_asked_a_third_time(server):
    address, statuses, asked = server
    statuses += [503, 429]
    assert ingestion(source(address, "patient")).rows == 40
    assert len(asked) >= 3


def test_a_server_that_goes_on_failing_is_given_up(server):
    address, statuses, asked = server
    statuses += [503] * 9
    with pytest.raises(BadInput, match=r"cannot reach .* it answers 503"):
        ingestion(source(address, "down"))
    assert len(asked) == 3 * AN_ATTEMPT


def test_what_is_not_there_is_tried_once(server):
    address, statuses, asked = server
    statuses += [404] * 9
    with pytest.raises(BadInput, match="answers 404"):
        ingestion(source(address, "missing"))
    assert len(asked) == AN_ATTEMPT
