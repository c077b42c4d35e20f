"""The settings of a source, and which plug-in takes a location."""

from __future__ import annotations

from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from tasks.ingest import source
from tasks.ingest.source import Labels, RawItem, SourceSettings


@pytest.mark.parametrize("name", ["a/b", "..", "a..b", ".hidden", "", "a b", "é"])
def test_names_that_are_no_folder_name_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match="cannot name a data set"):
        SourceSettings(name=name, location="x")


@pytest.mark.parametrize("label", ["colum:C", "column", "column:", "folder:x", "name:[", "name:abc", "yes"])
def test_labels_that_mean_nothing_are_refused(label: str) -> None:
    with pytest.raises(BadInput, match="label"):
        SourceSettings(name="a", location="x", label=label)


def test_unknown_modality_names_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean 'image'"):
        SourceSettings(name="a", location="x", modality="imag")


def test_a_label_from_the_name_is_the_first_group_of_a_match() -> None:
    assert Labels.parse(r"name:^(\d)_").of_name("7_theo_13.wav") == "7"
    assert Labels.parse(r"name:^(\d)_").of_name("theo.wav") is None
    assert Labels.parse("line::") == Labels("line", ":")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("a.csv", "csv"),
        ("a.tsv", "csv"),
        ("a.json", "json"),
        ("a.TGZ", "archive"),
        ("a.feather", "arrow"),
        ("a.jsonl", "jsonl"),
        ("a.parquet", "parquet"),
        ("a.txt", "folder"),
        ("", "folder"),
    ],
)
def test_the_location_chooses_the_plugin(tmp_path: Path, file: str, expected: str) -> None:
    if file:
        (tmp_path / file).write_text("x")
    assert source.plugin(SourceSettings(name="a", location=str(tmp_path / file))).__name__ == f"tasks.ingest.sources.{expected}"


@pytest.mark.parametrize("location", ["/nowhere/at/all", "nothing.csv", "embedded:cats"])
def test_what_is_not_there_is_refused(location: str) -> None:
    with pytest.raises(BadInput, match=r"does not exist|not known.*embedded:digits"):
        source.modality(SourceSettings(name="a", location=location))


def test_an_id_depends_on_place_and_payload() -> None:
    one = RawItem(b"x", "a", "a#1", label="l")
    assert one.id == RawItem(b"x", "b", "a#1").id
    assert len({one.id, RawItem(b"y", "a", "a#1").id, RawItem(b"x", "a", "a#2").id}) == 3


def test_description_and_licence_do_not_name_this_machine(tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    settings = SourceSettings(name="a", location=str(tmp_path / "books"), licence="CC0-1.0")
    assert (source.description(settings), source.licence(settings)) == ("books", "CC0-1.0")
    assert "CC BY" in source.licence(SourceSettings(name="a", location="embedded:digits"))


def test_the_fingerprint_changes_with_the_content(tmp_path: Path) -> None:
    settings = SourceSettings(name="a", location=str(tmp_path))
    seen = set()
    for name, content in [("a.txt", "one"), ("a.txt", "two"), ("b.txt", "two"), ("b.txt", "two")]:
        (tmp_path / name).write_text(content)
        seen.add(source.fingerprint(settings))
    assert len(seen) == 3


@pytest.mark.parametrize(
    "query", ["token=abc", "a=1&X-Amz-Signature=abc", "sig=abc", "API_KEY=abc", "key=abc", "access-token=abc", "token=${A}b"]
)
def test_a_secret_in_a_query_is_refused_and_not_repeated(query: str) -> None:
    with pytest.raises(BadInput, match=r"write .*=\$\{NAME\} and set NAME") as refusal:
        SourceSettings(name="a", location=f"https://example.org/x.csv?{query}")
    assert "abc" not in str(refusal.value)


@pytest.mark.parametrize("query", ["page=2", "token=${TOKEN}&page=2", "keyword=wool", "monkey=1", "design=3"])
def test_other_parameters_stay(query: str) -> None:
    assert SourceSettings(name="a", location=f"https://example.org/x.csv?{query}")


def test_a_data_set_that_was_named_by_an_earlier_rule_stays_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))
    for name in ("-rf", "_old"):
        with pytest.raises(BadInput, match="cannot name a data set: begin with"):
            SourceSettings(name=name, location=".")
        (tmp_path / "data" / name).mkdir(parents=True)
        assert SourceSettings(name=name, location=".").name == name
    (tmp_path / "escaped").mkdir()
    with pytest.raises(BadInput, match="cannot name a data set"):
        SourceSettings(name="../escaped", location=".")
