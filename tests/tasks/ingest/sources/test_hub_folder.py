"""Folders as `Dataset.save_to_disk` and the hub lay them out, made by hand with the metadata that `datasets` writes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from PIL import Image
from pyarrow import parquet

from aigc_models.errors import BadInput
from tasks.ingest import source
from tasks.ingest.source import RawItem, SourceSettings

KINDS = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
IMAGES = {"image": {"_type": "Image"}, **KINDS}
STRUCT = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])


def png(shade: int) -> bytes:
    held = io.BytesIO()
    Image.new("L", (4, 4), shade).save(held, "PNG")
    return held.getvalue()


def noted(table: pyarrow.Table, kinds: dict[str, Any]) -> pyarrow.Table:
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": kinds}})})


def pictures(count: int) -> pyarrow.Table:
    cells = pyarrow.array([{"bytes": png(shade), "path": None} for shade in range(count)], STRUCT)
    return noted(pyarrow.table({"image": cells, "label": [at % 2 for at in range(count)]}), IMAGES)


def texts(*words: str) -> pyarrow.Table:
    return noted(pyarrow.table({"text": list(words), "label": [at % 2 for at in range(len(words))]}), KINDS)


def put(path: Path, table: pyarrow.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path)


def save_to_disk(folder: Path, table: pyarrow.Table, split: str | None = None) -> None:
    folder.mkdir(parents=True)
    with (
        pyarrow.OSFile(str(folder / "data-00000-of-00001.arrow"), "wb") as file,
        pyarrow.ipc.new_stream(file, table.schema) as out,
    ):
        out.write_table(table)
    (folder / "state.json").write_text(
        json.dumps({"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": split})
    )
    (folder / "dataset_info.json").write_text(json.dumps({"features": {}, "license": "mit"}))


def card(folder: Path, head: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"---\n{head}\n---\n# About\n")


def items(folder: Path, **fields: Any) -> list[RawItem]:
    settings = SourceSettings(name="a", location=str(folder), **fields)
    return list(source.read(settings, source.modality(settings)))


def of(folder: Path, **options: str) -> SourceSettings:
    return SourceSettings(name="a", location=str(folder), options=options)


def test_a_saved_dictionary_of_pictures_with_names_for_labels(tmp_path: Path) -> None:
    save_to_disk(tmp_path / "train", pictures(4))
    save_to_disk(tmp_path / "test", pictures(1))
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    assert source.modality(of(tmp_path)) == "image"
    raw_items = items(tmp_path)
    assert [item.split for item in raw_items] == ["train"] * 4 + ["test"]
    assert [item.label for item in raw_items] == ["cat", "dog", "cat", "dog", "cat"]
    assert raw_items[1].source == "train#2"
    assert raw_items[3].payload == png(3)
    assert source.licence(of(tmp_path)) == "mit"


def test_a_single_saved_one_has_no_split_of_its_own(tmp_path: Path) -> None:
    save_to_disk(tmp_path / "one", texts("a b", "c d"))
    assert [(item.payload, item.label, item.split) for item in items(tmp_path / "one")] == [
        (b"a b", "cat", None),
        (b"c d", "dog", None),
    ]


def test_a_repository_whose_files_name_the_splits(tmp_path: Path) -> None:
    card(tmp_path, "license: [mit, apache-2.0]")
    put(tmp_path / "data/train-00000-of-00002.parquet", texts("one", "two"))
    put(tmp_path / "data/train-00001-of-00002.parquet", texts("three"))
    put(tmp_path / "data/validation-00000-of-00001.parquet", texts("four"))
    raw_items = items(tmp_path)
    assert [(item.source, item.split) for item in raw_items][2:] == [("train#3", "train"), ("validation#1", "validation")]
    assert source.licence(of(tmp_path)) == "mit, apache-2.0"
    assert [item.label for item in items(tmp_path, label="none")] == [None] * 4


def test_other_shards_of_the_same_rows_are_the_same_items(tmp_path: Path) -> None:
    card(tmp_path / "a", "license: mit")
    card(tmp_path / "b", "license: mit")
    put(tmp_path / "a/train-00000-of-00001.parquet", texts("one", "two"))
    put(tmp_path / "b/train-00000-of-00002.parquet", texts("one"))
    put(tmp_path / "b/train-00001-of-00002.parquet", texts("two"))
    assert [item.id for item in items(tmp_path / "a")] == [item.id for item in items(tmp_path / "b")]


def test_subsets_of_the_card(tmp_path: Path) -> None:
    card(
        tmp_path,
        "configs:\n- {config_name: en, data_files: 'en/*'}\n- {config_name: fr, data_files: [{split: test, path: [fr/a.csv]}]}",
    )
    (tmp_path / "en").mkdir()
    (tmp_path / "fr").mkdir()
    (tmp_path / "en/x.csv").write_text("text\nhello\n")
    (tmp_path / "fr/a.csv").write_text("text\nbonjour\n")
    with pytest.raises(BadInput, match="has the subsets en, fr; say which with --option config=NAME"):
        items(tmp_path)
    assert [(item.payload, item.source, item.split) for item in items(tmp_path, options={"config": "fr"})] == [
        (b"bonjour", "fr/test#1", "test")
    ]
    assert items(tmp_path, options={"config": "en", "delimiter": ";"})[0].source == "en/data#1"
    with pytest.raises(BadInput, match="no subset 'de'"):
        items(tmp_path, options={"config": "de"})


def test_other_splits_are_left_out_unless_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card(tmp_path, "configs:\n- data_files:\n  - {split: train, path: a.jsonl}\n  - {split: unsupervised, path: b.jsonl}")
    (tmp_path / "a.jsonl").write_text('{"text": "known"}\n')
    (tmp_path / "b.jsonl").write_text('{"text": "unknown"}\n')
    assert [item.payload for item in items(tmp_path)] == [b"known"]
    assert "left out the splits unsupervised" in capsys.readouterr().err
    assert [(item.payload, item.split) for item in items(tmp_path, options={"splits": "unsupervised"})] == [(b"unknown", None)]
    with pytest.raises(BadInput, match="It has: train, unsupervised"):
        items(tmp_path, options={"splits": "tset"})


def test_a_picture_beside_its_table(tmp_path: Path) -> None:
    card(tmp_path, "license: mit")
    (tmp_path / "1.png").write_bytes(png(9))  # then it is a folder of pictures and of tables
    put(tmp_path / "train.parquet", texts("one"))
    with pytest.raises(BadInput, match="mixed kinds"):
        source.modality(of(tmp_path))
    (tmp_path / "1.png").rename(tmp_path / ".1.png")
    cells = pyarrow.array([{"bytes": None, "path": ".1.png"}, {"bytes": None, "path": "../x.png"}], STRUCT)
    put(tmp_path / "train.parquet", noted(pyarrow.table({"image": cells}), {"image": {"_type": "Image"}}))
    assert [item.payload for item in items(tmp_path)] == [png(9), b""]


def test_a_class_without_a_name_is_told(tmp_path: Path) -> None:
    card(tmp_path, "license: mit")
    table = pyarrow.table({"text": ["a", "b", "c"], "label": [0, -1, 7]})
    put(tmp_path / "train.parquet", noted(table, KINDS))
    raw_items = items(tmp_path)
    assert [item.label for item in raw_items] == ["cat", None, None]
    assert "has the class 7 in 'label', which has 2 names" in raw_items[2].name


def test_values_in_structs_are_columns(tmp_path: Path) -> None:
    put(tmp_path / "t.parquet", pyarrow.table({"message": [{"text": "a b", "by": {"lang": "en"}}, None]}))
    settings = SourceSettings(
        name="a", location=str(tmp_path / "t.parquet"), content="message.text", label="column:message.by.lang"
    )
    assert [(item.payload, item.label) for item in source.read(settings, "text")] == [(b"a b", "en"), (b"", None)]


def test_the_fingerprint_knows_the_split_of_each_file(tmp_path: Path) -> None:
    card(tmp_path, "license: mit")
    put(tmp_path / "train.parquet", texts("one"))
    before = source.fingerprint(of(tmp_path))
    (tmp_path / "train.parquet").rename(tmp_path / "test.parquet")
    assert source.fingerprint(of(tmp_path)) != before


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("configs: [{data_files: '../*.parquet'}]", "is no path inside the folder"),
        ("configs: [{data_files: nothing.parquet}]", "no table fits 'nothing.parquet'"),
        ("configs: [{data_dir: ../..}]", "which is not inside it"),
    ],
)
def test_a_card_that_leads_elsewhere(tmp_path: Path, head: str, message: str) -> None:
    card(tmp_path / "set", head)
    put(tmp_path / "set/train.parquet", texts("one"))
    with pytest.raises(BadInput, match=message):
        items(tmp_path / "set")


def test_a_saved_folder_that_lacks_its_table_or_names_another(tmp_path: Path) -> None:
    save_to_disk(tmp_path / "one", texts("a"))
    (tmp_path / "one/data-00000-of-00001.arrow").rename(tmp_path / "x.arrow")
    with pytest.raises(BadInput, match=r"lacks data-00000-of-00001\.arrow"):
        items(tmp_path / "one")
    (tmp_path / "one/state.json").write_text('{"_data_files": [{"filename": "../x.arrow"}]}')
    with pytest.raises(BadInput, match="is not inside it"):
        items(tmp_path / "one")


def test_a_card_that_is_a_bomb_or_nonsense_is_no_card(tmp_path: Path) -> None:
    put(tmp_path / "train-00000-of-00001.parquet", texts("one"))
    for head in ("a: [" * 5000, "a: &a [x]\nb: *nothing", "- 1", "license: 2020-99-99"):
        card(tmp_path, head)
        assert [item.payload for item in items(tmp_path)] == [b"one"]
