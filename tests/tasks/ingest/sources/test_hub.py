"""Data sets of the hub: from a server in a thread that answers as the hub does, and from its copy without one."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from aigc_models.errors import BadInput
from tasks.ingest import source
from tasks.ingest.source import SourceSettings

CARD = b"---\nlicense: cc-by-4.0\n---\n# Notes\n"


def table(texts: list[str]) -> bytes:
    held = io.BytesIO()
    parquet.write_table(pyarrow.table({"text": texts}), held)
    return held.getvalue()


@dataclass
class Hub:
    """A server with the data set `me/notes`."""

    files: dict[str, bytes] = field(
        default_factory=lambda: {"README.md": CARD, "data/train-00000-of-00001.parquet": table(["a b"])}
    )
    status: int = 200
    error: str = ""
    fetched: list[str] = field(default_factory=list)

    @property
    def commit(self) -> str:
        return hashlib.sha1(json.dumps({name: tag(content) for name, content in self.files.items()}).encode()).hexdigest()

    def answer(self, path: str) -> tuple[bytes, dict[str, str]] | None:
        """The body and the headers; None for what there is not."""
        answers = {
            "/api/datasets/me/notes",
            f"/api/datasets/me/notes/revision/{self.commit}",
            "/api/datasets/me/notes/revision/main",
        }
        if path in answers:
            return json.dumps({"id": "me/notes", "sha": self.commit, "siblings": []}).encode(), {}
        if path == f"/api/datasets/me/notes/tree/{self.commit}":
            return json.dumps([entry(name, content) for name, content in self.files.items()]).encode(), {}
        name = path.removeprefix(f"/datasets/me/notes/resolve/{self.commit}/")
        if name not in self.files:
            return None
        return self.files[name], {"X-Repo-Commit": self.commit, "ETag": f'"{tag(self.files[name])}"'}


def tag(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def entry(name: str, content: bytes) -> dict[str, Any]:
    return {"type": "file", "path": name, "size": len(content), "oid": tag(content)}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    from huggingface_hub import constants

    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = hub.answer(self.path.partition("?")[0]) if hub.status == 200 else None
            body, headers = answer or (b"{}", {"X-Error-Code": hub.error})
            self.send_response(200 if answer else hub.status if hub.status != 200 else 404)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                hub.fetched += [self.path.rsplit("/", 1)[-1]] if "/resolve/" in self.path else []
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", constants.ENDPOINT + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield hub
    server.shutdown()
    server.server_close()


def of(location: str = "hub:me/notes", **options: str) -> SourceSettings:
    return SourceSettings(name="a", location=location, options=options)


def added(settings: SourceSettings) -> tuple[str, list[bytes]]:
    """What `aigc data add` asks of a source, in its order."""
    modality, digest = source.modality(settings), source.fingerprint(settings)
    return digest, [item.payload for item in source.read(settings, modality)]


def test_it_is_fetched_once_and_its_licence_known(hub: Hub) -> None:
    digest, payloads = added(of())
    assert payloads == [b"a b"]
    assert added(of())[0] == digest
    assert sorted(hub.fetched) == ["README.md", "train-00000-of-00001.parquet"]
    assert source.licence(of()) == "cc-by-4.0"
    assert source.description(of()) == "hub:me/notes"


def test_only_what_changed_is_fetched(hub: Hub) -> None:
    digest, _ = added(of())
    hub.fetched.clear()
    hub.files["data/test-00000-of-00001.parquet"] = table(["c d"])
    changed, payloads = added(of())
    assert changed != digest
    assert payloads == [b"c d", b"a b"]
    assert hub.fetched == ["test-00000-of-00001.parquet"]


def test_a_commit_is_what_it_was(hub: Hub) -> None:
    pinned = of(f"hub:me/notes@{hub.commit}")
    before = added(pinned)
    hub.files["data/train-00000-of-00001.parquet"] = table(["new"])
    assert added(pinned) == before


def test_without_the_hub_its_copy_is_read(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from huggingface_hub import constants

    before = added(of())
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert added(of()) == before
    assert "the copy that lies here is used" in capsys.readouterr().err


def test_offline_and_without_a_copy(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(BadInput, match="hub:me/notes cannot be fetched, and no whole copy lies here"):
        added(of())


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, "RepoNotFound", "does not exist, or is private"),
        (403, "GatedRepo", "asks for its conditions"),
        (500, "", "cannot be fetched"),
        (404, "RepoNotFound", "does not exist"),
    ],
)
def test_an_answer_that_is_no(hub: Hub, status: int, error: str, message: str) -> None:
    hub.status, hub.error = status, error
    with pytest.raises(BadInput, match=message):
        added(of())


def test_too_much_is_refused_before_it_is_fetched(hub: Hub) -> None:
    with pytest.raises(BadInput, match="the limit is 10: raise it with --option limit=BYTES"):
        added(of(limit="10"))
    assert hub.fetched == []


def test_some_files_alone(hub: Hub) -> None:
    hub.files["fr/train-00000-of-00001.parquet"] = table(["le"])
    assert added(of(files="fr/*"))[1] == [b"le"]
    assert "train-00000-of-00001.parquet" in hub.fetched
    assert len(hub.fetched) == 2


def test_what_is_no_name(hub: Hub) -> None:
    with pytest.raises(BadInput, match="is no name of a data set"):
        added(of("hub:a/b/c"))


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(BadInput, match=r"needs `pip install 'aigc-foundry\[hub\]'`"):
        added(of())
