"""Files behind URLs: from a real server in a thread, and from fsspec's memory."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from tasks.ingest import source
from tasks.ingest.source import SourceSettings

TABLE = b"text,kind\nhello,x\nbye,y\n"


@dataclass
class Site:
    """A server with one file, which it says `304` about to those that have it."""

    content: bytes = TABLE
    validators: bool = True
    sized: bool = True
    lie: int = 0  # bytes that are promised and never come
    status: int = 200
    asked: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    address: str = ""

    def url(self, path: str = "notes.csv") -> str:
        return f"{self.address}/{path}"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tag = f'"{hashlib.sha256(site.content).hexdigest()[:8]}"'
            unchanged = site.validators and self.headers["If-None-Match"] == tag
            site.paths.append(self.path)
            site.asked.append(304 if unchanged else site.status)
            self.send_response(site.asked[-1])
            if site.validators:
                self.send_header("ETag", tag)
            if site.sized:
                self.send_header("Content-Length", "0" if unchanged else str(len(site.content) + site.lie))
            self.end_headers()
            if not unchanged:
                self.wfile.write(site.content)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    yield site
    server.shutdown()
    server.server_close()


def of(url: str, **options: str) -> SourceSettings:
    return SourceSettings(name="a", location=url, label="column:kind", options=options)


def added(settings: SourceSettings) -> tuple[str, list[bytes]]:
    """What `aigc data add` asks of a source, in its order."""
    modality, digest = source.modality(settings), source.fingerprint(settings)
    return digest, [item.payload for item in source.read(settings, modality)]


def kept(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / ".aigc/fetched").rglob("*") if path.is_file())


def test_nothing_is_downloaded_twice(site: Site, tmp_path: Path) -> None:
    digest, payloads = added(of(site.url()))
    assert payloads == [b"hello", b"bye"]
    assert added(of(site.url())) == (digest, payloads)
    assert site.asked == [200, 304, 304]
    assert kept(tmp_path) == [".lock.json", "notes.csv"]


def test_a_changed_file_is_new_content_and_is_said(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    digest, _ = added(of(site.url()))
    site.content = TABLE + b"more,x\n"
    changed, payloads = added(of(site.url()))
    assert changed != digest
    assert payloads[-1] == b"more"
    assert f"{site.url()} changed since" in capsys.readouterr().err


def test_a_server_without_validators_is_asked_again_and_changes_nothing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.validators = False
    assert added(of(site.url())) == added(of(site.url()))
    assert "changed" not in capsys.readouterr().err


def test_a_pinned_file_is_asked_for_once(site: Site) -> None:
    settings = of(site.url(), sha256=hashlib.sha256(TABLE).hexdigest())
    assert added(settings) == added(settings)
    assert site.asked == [200]


def test_a_file_that_is_not_the_pinned_one_is_refused_and_not_kept(site: Site, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"{hashlib.sha256(TABLE).hexdigest()}, expected is {'0' * 64}"):
        added(of(site.url(), sha256="0" * 64))
    assert kept(tmp_path) == []


def test_too_large_a_file_is_refused_before_it_is_read(site: Site, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="more than 5 bytes"):
        added(of(site.url(), limit="5"))
    assert kept(tmp_path) == []


def test_a_file_that_grows_beyond_the_limit_while_it_is_read_is_refused(site: Site, tmp_path: Path) -> None:
    site.sized = False
    with pytest.raises(BadInput, match="more than 5 bytes"):
        added(of(site.url(), limit="5"))
    assert kept(tmp_path) == []


def test_a_download_that_breaks_off_leaves_nothing(site: Site, tmp_path: Path) -> None:
    site.lie = 10
    with pytest.raises(BadInput, match="cannot reach"):
        added(of(site.url()))
    assert kept(tmp_path) == []


def test_when_the_server_is_away_the_copy_is_used_and_that_is_said(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    before = added(of(site.url()))
    site.content, site.lie = TABLE + b"x", 10
    assert added(of(site.url())) == before
    assert "cannot reach" in capsys.readouterr().err


def test_a_damaged_copy_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    before = added(of(site.url()))
    next((tmp_path / ".aigc/fetched").rglob("notes.csv")).write_bytes(b"text,kind\n")
    assert source.fingerprint(of(site.url())) == before[0]
    assert added(of(site.url())) == before


def test_an_answer_that_is_no_is_told(site: Site) -> None:
    site.status = 404
    with pytest.raises(BadInput, match="answers 404 Not Found"):
        added(of(site.url()))


def test_secrets_of_the_query_are_in_no_card_lock_or_message(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = of(site.url("notes.csv?user=hush"))
    added(settings)
    (lock,) = (tmp_path / ".aigc/fetched").rglob(".lock.json")
    text = source.description(settings) + lock.read_text() + capsys.readouterr().err
    assert "hush" not in text
    assert source.description(settings) == site.url()
    assert json.loads(lock.read_text())["sha256"] == hashlib.sha256(TABLE).hexdigest()


def test_a_secret_of_the_environment_is_sent_and_not_remembered(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = of(site.url("notes.csv?token=${NOTES_TOKEN}"))
    with pytest.raises(BadInput, match="needs the environment variable NOTES_TOKEN"):
        added(settings)
    monkeypatch.setenv("NOTES_TOKEN", "hush")
    added(settings)
    assert site.paths == ["/notes.csv?token=hush"] * 2
    assert "hush" not in settings.model_dump_json()


def test_options_that_no_one_knows_are_refused(site: Site) -> None:
    with pytest.raises(BadInput, match="sha265"):
        added(of(site.url(), sha265="0"))


def test_other_file_systems_are_asked_for_what_changed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    import fsspec

    with fsspec.open("memory://site/notes.csv", "wb") as handle:
        handle.write(TABLE)
    before = added(of("memory://site/notes.csv"))
    assert added(of("memory://site/notes.csv")) == before
    assert capsys.readouterr().err.count("fetched memory://site/notes.csv") == 1
    with fsspec.open("memory://site/notes.csv", "wb") as handle:
        handle.write(TABLE + b"more,x\n")
    assert added(of("memory://site/notes.csv")) != before


def test_a_local_file_by_url(site: Site, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(TABLE)
    assert added(of(f"file://{tmp_path}/t.csv"))[1] == [b"hello", b"bye"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory://nothing/a.csv", "does not exist"),
        ("nosuch://a/b.csv", "cannot be opened"),
        ("http://127.0.0.1:9/a.csv", "cannot reach"),
        ("http://[/a.csv", "not a URL"),
    ],
)
def test_what_cannot_be_had_is_refused_in_words(site: Site, url: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        added(of(url))
