from __future__ import annotations

import json
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from aigc_models.errors import BadInput
from tasks.ingest.source import RawItem, SourceSettings, modality, read

WORDS = ["river", "mountain", "moon", "wine", "autumn", "wind", "guest", "lute", "boat", "lamp", "snow", "crane"]


def prose(at: int) -> str:
    return " ".join(WORDS[(at * step) % 12] for step in range(1, 9)) + f" {at}"


ROWS = [{"body": prose(at), "author": "LDW"[at % 3], "title": f"t{at}"} for at in range(60)]


def written(folder: Path, suffix: str, rows: list[dict[str, str]], name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.{suffix}"
    if suffix == "parquet":
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif suffix == "csv":
        path.write_text("\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]))
    else:
        path.write_text("\n".join(map(json.dumps, rows)) if suffix == "jsonl" else json.dumps(rows))


def items(folder: Path, **named: str) -> list[RawItem]:
    source = SourceSettings(name="a", location=str(folder), **named)
    assert modality(source) == "text"
    return list(read(source, "text"))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "json"])
def test_tables_of_one_shape_are_one_table(tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    for part in range(3):
        written(tmp_path / suffix, suffix, ROWS[part * 20 : part * 20 + 20], f"p{part}")
    (tmp_path / suffix / "README.md").write_text("about")
    expected = [(row["body"], row["author"]) for row in ROWS]
    raw_items = items(tmp_path / suffix)
    assert [(item.payload.decode(), item.label) for item in raw_items] == expected
    assert raw_items[20].source == f"p1.{suffix}#1"
    assert "the content is taken to be body (free text), the label author (few values)" in capsys.readouterr().err
    assert [(item.payload.decode(), item.label) for item in items(tmp_path / suffix, modality="text")] == expected
    assert [item.payload for item in items(tmp_path / suffix, content="title")][:2] == [b"t0", b"t1"]


def test_tables_of_several_shapes_are_listed_and_a_pattern_chooses(tmp_path: Path) -> None:
    for part in range(2):
        written(tmp_path, "csv", ROWS[:20], f"part{part}")
    written(tmp_path, "csv", [{"id": "1", "price": "2"}], "prices")
    with pytest.raises(BadInput, match=r"2 shapes: part0.csv and 1 more with body, author, title; prices.csv with id, price"):
        items(tmp_path)
    assert len(items(tmp_path / "part*.csv")) == 40


def test_a_file_that_cannot_be_read_is_put_aside_and_what_is_unchanged_not_read(tmp_path: Path) -> None:
    for part in range(2):
        written(tmp_path, "csv", ROWS[:20], f"p{part}")
    (tmp_path / "q.csv").write_text("<<<<<<< HEAD\nbody,author,title\n")
    last = items(tmp_path)[-1]
    assert (last.payload, last.source) == (b"", "q.csv")
    assert "holds a merge conflict" in last.name
    source = SourceSettings(name="a", location=str(tmp_path))
    assert {item.source for item in read(source, "text", {"p0.csv", "q.csv"})} == {f"p1.csv#{row}" for row in range(1, 21)}


def test_an_object_a_file_is_a_row_and_keys_may_be_missing(tmp_path: Path) -> None:
    for at, row in enumerate(ROWS[:20]):
        part = {key: value for key, value in row.items() if key != "title" or at % 2}
        (tmp_path / f"{at:02}.json").write_text(json.dumps(part))
    assert [item.payload.decode() for item in items(tmp_path, content="body")] == [row["body"] for row in ROWS[:20]]


def test_the_first_folder_says_the_split_and_options_are_those_of_the_tables(tmp_path: Path) -> None:
    for part in ("train", "test"):
        written(tmp_path / part, "csv", ROWS[:20], "p")
    assert [item.split for item in items(tmp_path, split="folder")] == ["test"] * 20 + ["train"] * 20
    source = SourceSettings(name="a", location=str(tmp_path), options={"header": "none"}, content="column1")
    assert len(list(read(source, "text"))) == 42


def test_labels_that_tables_do_not_have_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "csv", ROWS, "p")
    with pytest.raises(BadInput, match="possible here: column, name, none"):
        items(tmp_path, label="folder")


def test_json_that_is_no_table_is_learnt_as_it_stands_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for at in range(3):
        (tmp_path / f"{at}.json").write_text("[[1, 2], [3]]")
    assert [item.payload for item in items(tmp_path)] == [b"[[1, 2], [3]]"] * 3
    assert "0.json and the like (3 files) are learnt with their braces and marks" in capsys.readouterr().err
