"""Rows of a real PostgreSQL that is started for the test; left out where it or its driver is not installed."""

from __future__ import annotations

import getpass
import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aigc_models.errors import BadInput
from tasks.ingest import source
from tasks.ingest.source import SourceSettings
from tasks.ingest.sources import sql

psycopg = pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
pytestmark = pytest.mark.slow
PASSWORD = "hush:/@%"


def binary(name: str) -> str:
    """In the path, or where Debian's package puts it."""
    path = shutil.which(name) or next(iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None)
    return path or pytest.skip(f"no {name} is installed")


@dataclass
class Server:
    """PostgreSQL on a port of its own with the table `notes`."""

    port: int

    def execute(self, statement: str) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="reader", password=PASSWORD, dbname="postgres"
        ) as connection:
            connection.execute(statement)

    def of(self, query: str, **settings: Any) -> SourceSettings:
        location = f"postgresql+psycopg://reader@127.0.0.1:{self.port}/postgres"
        return SourceSettings(name="a", location=location, options={"query": query}, **settings)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    initdb, postgres = binary("initdb"), binary("postgres")
    folder = Path(tempfile.mkdtemp(prefix="aigc-postgres-"))
    (folder / "password").write_text(PASSWORD)
    who = {"user": "postgres", "cwd": folder} if getpass.getuser() == "root" else {"cwd": folder}  # it refuses root
    if "user" in who:
        shutil.chown(folder, "postgres")
        shutil.chown(folder / "password", "postgres")
    options = ["--auth=scram-sha-256", "--username=reader", f"--pwfile={folder}/password", "--no-sync", "--encoding=UTF8"]
    subprocess.run([initdb, "-D", str(folder / "data"), *options], check=True, stdout=subprocess.DEVNULL, **who)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [postgres, "-D", str(folder / "data"), "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
    process = subprocess.Popen([*command, "-c", "listen_addresses=127.0.0.1"], stderr=subprocess.DEVNULL, **who)
    try:
        yield _filled(Server(port))
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _filled(server: Server) -> Server:
    for _ in range(100):
        try:
            server.execute("create table notes (id serial, kind text, words text, more jsonb, raw json)")
            break
        except psycopg.OperationalError:
            time.sleep(0.1)
    rows = "select 'k' || g % 3, 'it''s 50% :of note ' || g, '{\"b\": 1, \"a\": [2]}', '{}' from generate_series(1, 2500) g"
    server.execute(f"insert into notes (kind, words, more, raw) {rows}")
    return server


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


def test_all_rows_come_in_batches_with_the_password_of_the_environment(server: Server) -> None:
    query = "select words, kind, more from notes where words like '%50% :of%';"
    settings = server.of(query, content="words", label="column:kind")
    assert source.modality(settings) == "text"
    items = list(source.read(settings, "text"))
    assert len({item.id for item in items}) == 2500
    assert {item.label for item in items} == {"k0", "k1", "k2"}
    assert items[0].source.startswith("postgres#")
    assert source.description(settings) == f"postgresql+psycopg://reader@127.0.0.1:{server.port}/postgres"


def test_where_the_rows_lie_changes_neither_items_nor_fingerprint(server: Server) -> None:
    settings = server.of("select id, kind, words, more from notes", content="words")
    before, digest = list(source.read(settings, "text")), sql.fingerprint(settings)
    server.execute("update notes set kind = kind where id < 100")  # moves them to the end of the table
    assert list(source.read(settings, "text")) == before
    assert sql.fingerprint(settings) == digest


def test_a_pgpass_file_does_as_well(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD")
    (tmp_path / "pgpass").write_text("127.0.0.1:*:*:reader:" + PASSWORD.replace(":", "\\:"))
    os.chmod(tmp_path / "pgpass", 0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    assert sql.fingerprint(server.of("select 1 as a"))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("with gone as (delete from notes returning words) select * from gone", "refuses"),
        ("select words, nextval('notes_id_seq') as n from notes", "read-only transaction"),
        ("select word from notes", 'column "word" does not exist'),
        ("select words, kind as words from notes", "more than one column 'words'"),
        ("select words, raw from notes", "ordering operator for type json; give the query an `order by`"),
    ],
)
def test_what_would_write_or_cannot_work_is_refused_in_words(server: Server, query: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        list(source.read(server.of(query, content="words"), "text"))


def test_a_wrong_password_is_told_and_not_shown(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "wrong-one")
    with pytest.raises(BadInput, match="password authentication failed") as error:
        sql.fingerprint(server.of("select 1 as a"))
    assert "wrong-one" not in str(error.value)
