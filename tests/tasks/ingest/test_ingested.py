"""Adding a folder again: only what is new or changed is opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.dataset.tables import read, shards
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings, fingerprint
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext

LONG_AGO = 1_600_000_000


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A workspace, a folder of ten texts that were written long ago, and what was opened of it."""
    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setattr("tasks.ingest.ingested.SETTLED", 0)  # the time of the entry cannot be set back
    monkeypatch.setattr("tasks.ingest.readers.digests.SETTLED", 0)
    folder, opened = tmp_path / "letters", []
    folder.mkdir()
    for number in range(10):
        write(folder / f"{number}.txt", f"letter number {number}")
    whole = Path.open

    def noted(self: Path, *arguments, **named):
        if self.parent == folder and self.suffix == ".txt":
            opened.append(self.name)
        return whole(self, *arguments, **named)

    monkeypatch.setattr(Path, "open", noted)
    return Workspace.current().create(), SourceSettings(name="letters", location=str(folder)), opened


def write(path: Path, text: str) -> None:
    path.write_text(text)
    os.utime(path, (LONG_AGO, LONG_AGO))


def add(letters) -> set[str]:
    """Ingest; the files that were opened for it."""
    workspace, source, opened = letters
    opened.clear()
    fingerprint(source)
    ingest.plain(source, StageContext(workspace.stages, workspace))
    return set(opened)


def sources(letters) -> list[str]:
    return read(shards(letters[0].data / "letters" / "raw"), ["source"])["source"]


def test_only_new_and_changed_files_are_opened(letters):
    folder = letters[1].path
    assert len(add(letters)) == 10
    assert add(letters) == set()
    write(folder / "new.txt", "one more letter")
    write(folder / "3.txt", "letter number three")
    assert add(letters) == {"new.txt", "3.txt"}
    assert sorted(sources(letters)) == sorted([f"{number}.txt" for number in range(10)] + ["3.txt", "new.txt"])


def test_a_change_that_keeps_size_and_time_is_seen(letters):
    add(letters)
    before = fingerprint(letters[1])
    write(letters[1].path / "3.txt", "letter number 8")  # as long, and dated as before
    assert fingerprint(letters[1]) != before
    assert add(letters) == {"3.txt"}


def test_all_is_read_where_shards_are_gone_or_the_source_is_told_otherwise(letters):
    add(letters)
    shards(letters[0].data / "letters" / "raw")[0].unlink()
    assert len(add(letters)) == 10
    assert len(sources(letters)) == 10
    workspace, source, opened = letters
    other = source.model_copy(update={"label": "name:^([0-9])"})
    assert len(add((workspace, other, opened))) == 10


def test_a_file_that_was_just_written_is_not_trusted(letters, monkeypatch):
    monkeypatch.setattr("tasks.ingest.ingested.SETTLED", 10**12)
    monkeypatch.setattr("tasks.ingest.readers.digests.SETTLED", 10**12)
    add(letters)
    assert len(add(letters)) == 10


def test_a_damaged_record_is_no_obstacle(letters):
    add(letters)
    for record in (letters[0].state / "digests.db", letters[0].state / "ingested" / "letters.json"):
        record.write_bytes(b"\0 no such thing")
    assert len(add(letters)) == 10
    assert len(sources(letters)) == 10
