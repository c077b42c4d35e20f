"""One JSON object a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from tasks.ingest.source import SourceSettings
from tasks.ingest.sources import jsonl


def test_rows_and_broken_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps({"text": "é\n", "stars": 4}) + "\n\n[1]\n" + '{"text": "cut o')
    settings = SourceSettings(name="a", location=str(path), label="column:stars")
    raw_items = list(jsonl.read(settings, jsonl.modality(settings)))
    assert [(item.payload, item.label) for item in raw_items] == [("é\n".encode(), "4"), (b"", None), (b"", None)]
    assert "not JSON" in raw_items[2].name


@pytest.mark.parametrize(("content", "message"), [("", "no JSON object"), ('{"words": 1}', "no column 'text'.*it has: words")])
def test_bad_input_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(content)
    with pytest.raises(BadInput, match=message):
        list(jsonl.read(SourceSettings(name="a", location=str(path), content="text"), "text"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes('{"text": "é"}\r\n{"text": "b"}\r\n'.encode(encoding))
    raw_items = list(jsonl.read(SourceSettings(name="a", location=str(path)), "text"))
    assert [item.payload for item in raw_items] == ["é".encode(), b"b"]
