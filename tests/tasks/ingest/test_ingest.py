"""Raw shards: append-only, deterministic, and nothing half-written."""

from __future__ import annotations

import errno
import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from aigc_models.errors import BadInput
from tasks.dataset.data_lock import writing
from tasks.ingest import ingest as stage_file
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.stage.references import RawRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"text number {number}")
    return folder


def run(root: Path, content: Path, **options: Any) -> RawRef:
    workspace = Workspace(root)
    return ingest.plain(SourceSettings(name="notes", location=str(content), **options), context=StageContext(root, workspace))


def shards(root: Path) -> list[Path]:
    return sorted((root / "data/notes/raw").iterdir())


def test_rows_hold_the_payload_and_where_it_came_from(tmp_path: Path, content: Path) -> None:
    raw = run(tmp_path / "w", content)
    (shard,) = shards(tmp_path / "w")
    table = parquet.read_table(shard)
    assert tuple(table.column_names) == stage_file.COLUMNS
    assert (raw.rows, raw.modality, table["source"][0].as_py()) == (5, "text", "0.txt")
    assert table["payload"][0].as_py() == b"text number 0"
    assert shard.name == f"00000-{hashlib.sha256(shard.read_bytes()).hexdigest()[:12]}.parquet"
    assert raw.intact(Workspace(tmp_path / "w"))


def test_the_same_content_gives_the_same_bytes_anywhere(tmp_path: Path, content: Path) -> None:
    assert run(tmp_path / "one", content).sha256 == run(tmp_path / "other", content).sha256
    assert str(tmp_path).encode() not in shards(tmp_path / "one")[0].read_bytes()


def test_what_is_new_is_appended_and_what_vanished_is_marked(tmp_path: Path, content: Path) -> None:
    first = run(tmp_path / "w", content)
    before = {path: path.read_bytes() for path in shards(tmp_path / "w")}
    assert run(tmp_path / "w", content) == first
    (content / "5.txt").write_text("a new one")
    vanished = parquet.read_table(shards(tmp_path / "w")[0])["id"][0].as_py()
    (content / "0.txt").unlink()
    assert run(tmp_path / "w", content).rows == 5
    assert all(path.read_bytes() == held for path, held in before.items())
    assert parquet.read_table(shards(tmp_path / "w")[1])["source"].to_pylist() == ["5.txt"]
    assert (tmp_path / "w/data/notes/raw/withdrawn.txt").read_text() == f"{vanished}\n"


def test_what_vanished_stays_where_that_is_asked_for(tmp_path: Path, content: Path) -> None:
    run(tmp_path / "w", content, keep=True)
    (content / "0.txt").unlink()
    assert run(tmp_path / "w", content, keep=True).rows == 5


def test_shards_are_bounded_and_a_cut_run_ends_as_an_uncut_one(
    tmp_path: Path, content: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_file, "SHARD_ROWS", 2)
    whole = run(tmp_path / "w", content)
    rows = [parquet.read_table(path).to_pylist() for path in shards(tmp_path / "w")]
    assert [parquet.read_metadata(path).num_rows for path in shards(tmp_path / "w")] == [2, 2, 1]
    for path in shards(tmp_path / "w")[1:]:
        path.unlink()
    again = run(tmp_path / "w", content)  # whose shards do not say that they go on from the one that stayed
    assert (again.rows, again.modality) == (whole.rows, whole.modality)
    assert [parquet.read_table(path).to_pylist() for path in shards(tmp_path / "w")] == rows


@pytest.mark.parametrize(
    ("options", "message"),
    [({"modality": "image"}, "no file of the modality image"), ({"label": "name:^x(.)"}, "gives no item .* a label")],
)
def test_bad_input_leaves_nothing_behind(tmp_path: Path, content: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        run(tmp_path / "w", content, **options)
    assert not (tmp_path / "w/data").exists()
    assert list((tmp_path / "w/.aigc/tmp").iterdir()) == []


@pytest.mark.parametrize(("code", "message"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "permission denied")])
def test_a_full_disk_and_a_forbidden_folder_are_told_plainly(
    tmp_path: Path, content: Path, monkeypatch: pytest.MonkeyPatch, code: int, message: str
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(code, "refused", "raw")

    monkeypatch.setattr(stage_file.os, "replace", refuse)
    with pytest.raises(BadInput, match=message):
        run(tmp_path / "w", content)
    assert not (tmp_path / "w/data/notes").exists()


def test_another_modality_under_the_same_name_is_refused(tmp_path: Path, content: Path) -> None:
    run(tmp_path / "w", content)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/a.png").write_bytes(b"x")
    with pytest.raises(BadInput, match="holds the modality text, the source image"):
        run(tmp_path / "w", tmp_path / "pictures")


def test_names_that_are_no_utf8_are_kept_readable(tmp_path: Path, content: Path) -> None:
    (content / b"caf\xe9.txt".decode("utf-8", "surrogateescape")).write_text("named oddly")
    run(tmp_path / "w", content)
    assert "caf\\udce9.txt" in parquet.read_table(shards(tmp_path / "w")[0])["name"].to_pylist()


def test_an_item_that_is_too_large_for_memory_is_named_without_its_bytes(
    tmp_path: Path, content: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_file, "LARGEST", 1000)
    (content / "0.txt").write_bytes(b"\0" * 1001)
    assert run(tmp_path / "w", content).rows == 5
    (row,) = parquet.read_table(shards(tmp_path / "w")[0], filters=[("source", "=", "0.txt")]).to_pylist()
    assert (row["payload"], row["name"]) == (b"", "0.txt cannot be read: has 0 MB; the limit of one item is 0 MB")


def test_who_holds_the_lock_of_the_data_sees_none_or_all_of_the_shards(
    tmp_path: Path, content: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_file, "SHARD_ROWS", 2)
    root = tmp_path / "w"
    with writing(Workspace(root)):
        ingesting = threading.Thread(target=run, args=(root, content))
        ingesting.start()
        ingesting.join(1)
        assert ingesting.is_alive()
        assert not (root / "data").exists()
    ingesting.join(20)
    assert len(shards(root)) == 3
