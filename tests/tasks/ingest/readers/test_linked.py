"""Links that lead out of a folder, for the kinds of folders that have a reader of their own."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from tasks.ingest import source
from tasks.ingest.readers import linked
from tasks.ingest.source import SourceSettings

DIALOGUE = "conversations:\n- - {0}\n  - An answer.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def settings(folder: Path, **more: bool) -> SourceSettings:
    return SourceSettings(name="a", location=str(folder), **more)


def outside(folder: Path, name: str, content: bytes) -> None:
    """A file beside the folder, and a link to it in there."""
    (folder.parent / name).write_bytes(content)
    (folder / name).symlink_to(folder.parent / name)


def test_dialogues(folder: Path) -> None:
    (folder / "a.yml").write_text(DIALOGUE.format("Mine"))
    outside(folder, "b.yml", DIALOGUE.format("Theirs").encode())
    items = list(source.read(settings(folder), "text"))
    assert [item.source for item in items if item.payload] == ["a.yml#1"]
    assert [item.name.split(";")[0] for item in items if not item.payload] == [
        "b.yml cannot be read: is a link that leads out of the folder"
    ]
    followed = list(source.read(settings(folder, follow_links=True), "text"))
    assert [item.source for item in followed] == ["a.yml#1", "b.yml#1"]


def test_tables_of_the_hub(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    (folder / "train.csv").write_text("text\nmine and only mine\n")
    outside(folder, "test.csv", b"text\ntheirs and only theirs\n")
    assert [item.payload for item in source.read(settings(folder), "text")] == [b"mine and only mine"]
    assert "test.csv is a link that leads out of the folder and is left out; --follow-links" in capsys.readouterr().err
    assert len(list(source.read(settings(folder, follow_links=True), "text"))) == 2


def test_a_format_whose_files_belong_together_is_refused(folder: Path) -> None:
    pictures = gzip.compress(struct.pack(">IIII", 0x803, 1, 2, 2) + bytes(4))
    (folder / "train-images-idx3-ubyte.gz").write_bytes(pictures)
    outside(folder, "train-labels-idx1-ubyte.gz", gzip.compress(struct.pack(">II", 0x801, 1) + b"\1"))
    with pytest.raises(BadInput, match=r"train-labels-idx1-ubyte\.gz is a link that leads out of the folder"):
        list(source.read(settings(folder), "image"))
    assert [item.label for item in source.read(settings(folder, follow_links=True), "image")] == ["1"]


def test_a_single_file_leaves_nothing_out(folder: Path) -> None:
    outside(folder, "a.txt", b"words")
    assert not linked.leading_out(settings(folder / "a.txt"))
    assert linked.leading_out(settings(folder)) == ["a.txt"]
