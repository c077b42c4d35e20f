"""Arrow files and streams."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pyarrow
import pytest
from pyarrow import feather

from aigc_models.errors import BadInput
from tasks.ingest.source import RawItem, SourceSettings, plugin
from tasks.ingest.sources import arrow

TABLE = pyarrow.table({"text": ["a", None, "é"] * 1000, "label": [1.0, None, 2.0] * 1000, "n": range(3000)})


def write(path: Path, table: pyarrow.Table, stream: bool = False) -> Path:
    make = pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file
    with make(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=700)
    return path


def items(path: Path, **options: Any) -> list[RawItem]:
    given = SourceSettings(name="a", location=str(path), **options)
    assert plugin(given) is arrow
    return list(arrow.read(given, arrow.modality(given)))


def test_files_and_streams_give_the_same_rows(tmp_path: Path) -> None:
    feather.write_feather(TABLE, str(tmp_path / "t.feather"), compression="zstd")
    paths = [write(tmp_path / "t.arrow", TABLE), write(tmp_path / "u.arrow", TABLE, stream=True), tmp_path / "t.feather"]
    tables = [items(path, label="column:label") for path in paths]
    assert [[(item.payload, item.label) for item in rows] for rows in tables] == [
        [(b"a", "1"), (b"", None), ("é".encode(), "2")] * 1000
    ] * 3
    assert (tables[1][0].source, tables[1][2999].source) == ("u.arrow#1", "u.arrow#3000")


def test_pictures_as_published_sets_hold_them(tmp_path: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n\xff\xfe"
    path = write(tmp_path / "t.arrow", pyarrow.table({"image": [{"bytes": png, "path": "a.png"}], "label": [3]}), stream=True)
    assert arrow.modality(SourceSettings(name="a", location=str(path), label="column:label")) == "image"
    assert [(item.payload, item.label) for item in items(path, label="column:label")] == [(png, "3")]


def test_columns_that_are_not_there_are_listed(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no column 'txt' \(for content\); did you mean 'text'\? it has: text, label, n"):
        items(write(tmp_path / "t.arrow", TABLE), content="txt")


@pytest.mark.parametrize("stream", [False, True])
def test_a_damaged_file_is_refused(tmp_path: Path, stream: bool) -> None:
    path = write(tmp_path / "t.arrow", TABLE, stream)
    raw = path.read_bytes()
    for damaged in (b"", b"ARROW1 and no more", b"no arrow", raw[:100], raw[: len(raw) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(BadInput, match=r"t\.arrow is not an Arrow file or stream, or a damaged one"):
            items(path)


@pytest.mark.parametrize("seed", range(8))
def test_bytes_that_were_changed_end_no_process(tmp_path: Path, seed: int) -> None:
    path, noise = write(tmp_path / "t.arrow", TABLE, stream=seed % 2 == 0), Random(seed)
    raw = bytearray(path.read_bytes())
    for _ in range(20):
        raw[noise.randrange(len(raw))] = noise.randrange(256)
    path.write_bytes(raw)
    with suppress(BadInput):
        assert items(path, content="text")
