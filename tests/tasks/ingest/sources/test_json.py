"""JSON files that hold objects somewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aigc_models.errors import BadInput
from tasks.ingest.source import RawItem, SourceSettings, plugin
from tasks.ingest.sources import json as source
from tasks.ingest.sources import jsonl

ROWS = [
    {"message": {"text": "é", "n": 1}, "meta": {"topic": "x"}},
    {"message": {"text": "b"}, "meta": {"topic": 2.0, "t": [1]}},
]
NESTED = {"content": "message.text", "label": "column:meta.topic"}


def settings(path: Path, whole: Any, **options: Any) -> SourceSettings:
    path.write_text(whole if isinstance(whole, str) else json.dumps(whole))
    return SourceSettings(name="a", location=str(path), **options)


def items(path: Path, whole: Any, **options: Any) -> list[RawItem]:
    given = settings(path, whole, **options)
    assert plugin(given) is source
    return list(source.read(given, source.modality(given)))


@pytest.mark.parametrize("whole", [ROWS, {"n": 2, "data": {"list": [], "items": ROWS}}, {"data": ROWS, "tags": ["a", "b"]}])
def test_the_only_array_of_objects_is_found(tmp_path: Path, whole: Any) -> None:
    first, second = items(tmp_path / "t.json", whole, **NESTED)
    assert first == RawItem("é".encode(), "t.json row 1", "t.json#1", "x")
    assert second == RawItem(b"b", "t.json row 2", "t.json#2", "2")


def test_one_of_several_arrays_is_named(tmp_path: Path) -> None:
    whole = {"data": {"train": ROWS, "test": ROWS[:1]}, "more": 1}
    with pytest.raises(BadInput, match=r"2 arrays of objects \(data.train, data.test\); say which with --option records=PATH"):
        items(tmp_path / "t.json", whole, **NESTED)
    assert len(items(tmp_path / "t.json", whole, options={"records": "data.train"}, **NESTED)) == 2
    for wrong in ("data.dev", "data", "more.x", ""):
        with pytest.raises(BadInput, match=r"no array of objects at .*; there are: data.train, data.test"):
            items(tmp_path / "t.json", whole, options={"records": wrong}, **NESTED)
    with pytest.raises(BadInput, match="unknown field 'record'; did you mean 'records'"):
        items(tmp_path / "t.json", whole, options={"record": "data"}, **NESTED)


def test_values_that_are_no_objects_are_named(tmp_path: Path) -> None:
    deep: Any = "text"
    for _ in range(80):
        deep = {"a": deep}
    raw_items = items(
        tmp_path / "t.json", [{"text": "a"}, "b", {"text": {"a": {"b": 1}, "a.b": 2}}, {"x": deep}], content="text"
    )
    assert [item.payload for item in raw_items] == [b"a", b"", b"", b""]
    assert "not a JSON object" in raw_items[1].name
    assert "two values for the column 'text.a.b'" in raw_items[2].name
    assert "more than 50 deep" in raw_items[3].name


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "t.json line 1 column 1: not JSON"),
        ('[{"text": "a"},\n {"text": b}]', "t.json line 2 column 11: not JSON: Expecting value"),
        ('{"text": "a"}\n{"text": "b"}', "line 2 column 1: not JSON: Extra data; with one object a line .* in .jsonl"),
        ("[\n" + "[" * 100_000, "t.json line 2, 100,001 deep: values are too deep"),
        ('[{"text": "a",\n "n": ' + "9" * 5000 + "}]", "t.json line 2: a number of 5,000 digits; the limit is 4,000"),
        (["a", "b"], "holds no array of objects; expected is"),
        ({"text": {"0": "a"}}, "holds no array of objects"),
        ("3", "holds no array of objects"),
        ([{"words": {"n": "x"}}], "no column 'text' .*; it has: words.n"),
    ],
)
def test_bad_input_is_told_with_its_place(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        items(tmp_path / "t.json", content, content="text")


def test_numbers_without_end_are_read(tmp_path: Path) -> None:
    raw_items = items(
        tmp_path / "t.json", '[{"text": "a", "n": 1e999}, {"text": "b", "n": NaN}]', content="text", label="column:n"
    )
    assert [item.label for item in raw_items] == ["inf", None]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings_of_json(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t.json").write_bytes(json.dumps(ROWS, ensure_ascii=False).encode(encoding))
    given = SourceSettings(name="a", location=str(tmp_path / "t.json"), content="message.text")
    assert [item.payload for item in source.read(given, "text")] == ["é".encode(), b"b"]


def test_lines_have_the_same_columns_as_an_array(tmp_path: Path) -> None:
    lines = [*map(json.dumps, ROWS), "[" * 100_000, '{"n": ' + "9" * 5000 + "}"]
    given = settings(tmp_path / "t.jsonl", "\n".join(lines), **NESTED)
    raw_items = list(jsonl.read(given, "text"))
    assert [(item.payload, item.label) for item in raw_items] == [("é".encode(), "x"), (b"b", "2"), (b"", None), (b"", None)]
    assert all("not JSON" in item.name for item in raw_items[2:])


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LARGEST", 10)
    with pytest.raises(BadInput, match="write one object a line"):
        items(tmp_path / "t.json", ROWS, **NESTED)


def test_a_list_of_texts_is_the_lines_of_one(tmp_path: Path) -> None:
    poems = [{"title": "Spring", "lines": ["first", "second"], "tags": ["a", "b"], "n": [1, 2]}] * 2
    raw_items = items(tmp_path / "poems.json", poems, content="lines", label="column:tags")
    assert {(item.payload, item.label) for item in raw_items} == {(b"first\nsecond", '["a", "b"]')}
