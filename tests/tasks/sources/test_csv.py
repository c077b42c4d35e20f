"""Tables with separators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aigc_models.errors import BadInput
from tasks.source import RawItem, SourceSettings
from tasks.sources import csv


def items(path: Path, raw: bytes, **options: Any) -> list[RawItem]:
    path.write_bytes(raw)
    return list(csv.read(SourceSettings(name="a", location=str(path), **options), "text"))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_each_column_has_its_use(tmp_path: Path, separator: str) -> None:
    table = '\ufefftext,kind,who,part,when\n"a\nb",x,u1,train,2020-01-01\ncd,,u2,test,\n'.replace(",", separator)
    options = {"content": "text", "label": "column:kind", "group": "who", "split": "part", "time": "when"}
    first, second = items(tmp_path / "t.csv", table.encode(), **options)
    assert first == RawItem(b"a\nb", "t.csv row 1", "t.csv#1", "x", "u1", "train", "2020-01-01")
    assert second == RawItem(b"cd", "t.csv row 2", "t.csv#2", None, "u2", "test")


def test_the_only_text_column_is_the_content(tmp_path: Path) -> None:
    found = items(tmp_path / "t.csv", b"id,text,kind\n1,hello,x\n2,bye,y\n", label="column:kind")
    assert [item.payload for item in found] == [b"hello", b"bye"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"content": "txt"}, r"no column 'txt' \(for content\); it has: id, text, kind"),
        ({"label": "column:lable"}, "no column 'lable'"),
        ({}, "more than one column could be the content.*--content"),
        ({"label": "line:@"}, "does not fit"),
    ],
)
def test_columns_that_are_not_there_are_listed(tmp_path: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        items(tmp_path / "t.csv", b"id,text,kind\n1,hello,x\n", **options)


def test_bytes_that_are_no_utf8_and_missing_cells_reach_cleaning_as_they_are(tmp_path: Path) -> None:
    found = items(tmp_path / "t.csv", b"kind,text\nx,caf\xe9\ny\n", content="text")
    assert [item.payload for item in found] == [b"caf\xe9", b""]


def test_a_column_of_paths_is_the_files_that_lie_beside_the_table(tmp_path: Path) -> None:
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds/1.wav").write_bytes(b"RIFF")
    (tmp_path / "t.csv").write_text("file,word\nsounds/1.wav,yes\nsounds/2.wav,no\n../../etc/3.wav,no\n")
    settings = SourceSettings(name="a", location=str(tmp_path / "t.csv"), content="file", label="column:word")
    assert csv.modality(settings) == "audio"
    assert [(item.payload, item.label) for item in csv.read(settings, "audio")] == [
        (b"RIFF", "yes"),
        (b"", "no"),
        (b"", "no"),
    ]
