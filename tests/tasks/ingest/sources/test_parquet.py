"""Parquet, with text and with pictures."""

from __future__ import annotations

from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from aigc_models.errors import BadInput
from tasks.ingest.source import SourceSettings
from tasks.ingest.sources import parquet as source

PNG = b"\x89PNG\r\n\x1a\n\xff\xfe"


def test_text_with_labels_of_any_type(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"text": ["a", None], "label": [1.0, None], "n": [1, 2]}), tmp_path / "t.parquet")
    settings = SourceSettings(name="a", location=str(tmp_path / "t.parquet"), label="column:label")
    assert source.modality(settings) == "text"
    assert [(item.payload, item.label) for item in source.read(settings, "text")] == [(b"a", "1"), (b"", None)]


def test_pictures_as_published_sets_hold_them(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"image": [{"bytes": PNG, "path": "a.png"}], "label": [3]}), tmp_path / "t.parquet")
    settings = SourceSettings(name="a", location=str(tmp_path / "t.parquet"), label="column:label")
    assert source.modality(settings) == "image"
    assert [(item.payload, item.label) for item in source.read(settings, "image")] == [(PNG, "3")]


def test_sounds_as_published_sets_hold_them(tmp_path: Path) -> None:
    wav = b"RIFF\x24\0\0\0WAVEfmt \xff\xfe"
    parquet.write_table(pyarrow.table({"audio": [{"bytes": wav, "path": None}], "label": ["a"]}), tmp_path / "t.parquet")
    settings = SourceSettings(name="a", location=str(tmp_path / "t.parquet"), label="column:label")
    assert source.modality(settings) == "audio"
    assert [(item.payload, item.label) for item in source.read(settings, "audio")] == [(wav, "a")]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadInput, match="not a parquet file"):
        source.modality(SourceSettings(name="a", location=str(tmp_path / "t.parquet")))


def test_a_column_that_unpacks_to_far_more_than_it_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source.packed, "FLOOR", 1_000_000)
    path = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table({"text": ["word " * 100_000] * 9}), path, compression="zstd", use_dictionary=False)
    with pytest.raises(BadInput, match=r"the column text unpacks to \d MB, .* as a decompression bomb does"):
        list(source.read(SourceSettings(name="a", location=str(path)), "text"))
