import hashlib
import os
import time

import pytest

from tasks.stage import references
from tasks.stage.references import RawRef, decode, digest_of, encode
from tasks.stage.settings import Workspace
from tasks.train.members import MemberSettings


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "data" / "letters" / "raw"
    folder.mkdir(parents=True)
    (folder / "a.parquet").write_bytes(b"one")
    return RawRef.to(Workspace(tmp_path), folder, dataset="letters", modality="image", rows=1)


def test_a_reference_is_intact_until_a_byte_changes(raw, tmp_path):
    workspace = Workspace(tmp_path)
    assert raw.intact(workspace)
    (raw.path(workspace) / "a.parquet").write_bytes(b"two")
    assert not raw.intact(workspace)


def test_a_reference_whose_output_is_gone_is_not_intact(raw, tmp_path):
    (tmp_path / "data/letters/raw/a.parquet").unlink()
    (tmp_path / "data/letters/raw").rmdir()
    assert not raw.intact(Workspace(tmp_path))


def test_references_are_small_and_hold_no_absolute_path(raw, tmp_path):
    text = raw.model_dump_json()
    assert len(text) < 500
    assert str(tmp_path) not in text


def test_checkpoints_and_unfinished_files_are_no_part_of_the_digest(tmp_path):
    (tmp_path / "a").write_text("x")
    before = digest_of([tmp_path], tmp_path)
    (tmp_path / "b.tmp").write_text("y")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "c").write_text("z")
    assert digest_of([tmp_path], tmp_path) == before
    (tmp_path / "d").write_text("z")
    assert digest_of([tmp_path], tmp_path) != before


def test_arguments_come_back_from_json_as_what_they_were(raw):
    arguments = {"data": raw, "members": [MemberSettings(family="gan")], "none": None}
    assert decode(encode(arguments)) == arguments


def test_only_models_are_decoded():
    with pytest.raises(ValueError, match="neither a reference nor settings"):
        decode({"__class__": "pathlib.Path", "data": "x"})


def test_a_large_file_is_read_once_until_the_file_system_says_that_it_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(references, "LARGE", 3)
    monkeypatch.setattr(references, "SETTLED", 0)
    read = []
    monkeypatch.setattr(
        references.hashlib, "file_digest", lambda file, kind: read.append(file.name) or hashlib.sha256(file.read())
    )
    file = tmp_path / "large"
    file.write_bytes(b"abc")
    os.utime(file, (1, 1))
    time.sleep(0.01)  # the clock of the file system ticks slower
    before = digest_of([file], tmp_path)
    assert digest_of([file], tmp_path) == before
    assert len(read) == 1
    file.write_bytes(b"abd")
    os.utime(file, (1, 1))  # as old and as long as before
    assert digest_of([file], tmp_path) != before


def test_a_file_that_was_just_written_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(references, "LARGE", 3)
    (tmp_path / "new").write_bytes(b"abc")
    digest_of([tmp_path], tmp_path)
    assert tmp_path / "new" not in references._digests
