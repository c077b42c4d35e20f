"""The OpenAPI document is the truth about a server: schemathesis asks what it allows, and what it does not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.serve.doors.keys import add
from tasks.stage.settings import Workspace

CONFIG = Path(__file__).parent / "requests" / "schemathesis.toml"


@pytest.fixture(scope="module")
def served(serve_bundles, capable):
    words = []

    def prepare(folder):
        words.append(add(Workspace(folder), "all", ("admin",))[1])

    bundles = {name: capable[name] for name in ("letters", "tones", "waves")}
    server = serve_bundles(bundles, "answer_seconds=30", "tokens=64", "items=4", prepare=prepare)
    return server, words[0]


@pytest.mark.slow
def test_every_answer_is_one_that_the_document_names(served, tmp_path):
    server, key = served
    url = f"http://127.0.0.1:{server.port}/openapi.json"
    program = str(Path(sys.executable).with_name("schemathesis"))
    options = ["--checks", "all", "--header", f"Authorization: Bearer {key}", "--url", f"http://127.0.0.1:{server.port}"]
    ran = subprocess.run(
        [program, "--config-file", str(CONFIG), "run", url, *options], capture_output=True, text=True, cwd=tmp_path, timeout=400
    )
    assert ran.returncode == 0, ran.stdout[-6000:]
    cases = re.search(r"(\d+) generated, \1 passed", ran.stdout.replace(",", "", 0))
    assert cases, ran.stdout[-3000:]
    assert int(cases[1]) > 500
    assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
def test_the_document_states_limits_and_keys(served):
    server, key = served
    document = json.loads(server.ask("GET", "/openapi.json").body)
    schemas = document["components"]["schemas"]
    assert schemas["CompletionRequest"]["properties"]["max_tokens"]["maximum"] == 64
    assert schemas["ImageRequest"]["properties"]["n"]["maximum"] == 4
    assert schemas["GenerateRequest"]["properties"]["count"]["anyOf"][0]["maximum"] == 4
    assert document["paths"]["/v1/completions"]["post"]["security"] == [{"key": []}]
    assert "security" not in document["paths"]["/healthz"]["get"]
    assert "x-limit" not in json.dumps(document)
    assert "422" not in json.dumps(document)
    stream = document["paths"]["/v1/completions"]["post"]["responses"]["200"]["content"]
    assert set(stream) == {"application/json", "text/event-stream"}
    assert server.ask("GET", "/v1/models", headers={"Authorization": f"Bearer {key}"}).status == 200
