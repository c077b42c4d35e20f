"""Tables with separators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aigc_models.errors import BadInput
from aigc_models.modalities import series
from tasks.ingest.source import RawItem, SourceSettings
from tasks.ingest.sources import csv


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
    raw_items = items(tmp_path / "t.csv", b"id,text,kind\n1,hello,x\n2,bye,y\n", label="column:kind")
    assert [item.payload for item in raw_items] == [b"hello", b"bye"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"content": "txt"}, r"no column 'txt' \(for content\); did you mean 'text'\? it has: id, text, kind"),
        ({"label": "column:lable"}, "no column 'lable'"),
        ({}, "more than one column could be the content.*--content"),
        ({"label": "line:@"}, "does not fit"),
    ],
)
def test_columns_that_are_not_there_are_listed(tmp_path: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        items(tmp_path / "t.csv", b"id,text,kind\n1,hello,x\n", **options)


def test_bytes_that_are_no_utf8_and_missing_cells_reach_cleaning_as_they_are(tmp_path: Path) -> None:
    raw_items = items(tmp_path / "t.csv", b"kind,text\nx,caf\xe9\ny\n", content="text")
    assert [item.payload for item in raw_items] == [b"caf\xe9", b""]


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


FRENCH = "id;texte;genre\n1;L'été dernier nous étions à la plage;récit\n2;Le café était fermé à midi, hélas;note\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    raw_items = items(tmp_path / "t.csv", FRENCH.encode(encoding), content="texte", label="column:genre")
    assert [item.payload.decode() for item in raw_items] == [
        "L'été dernier nous étions à la plage",
        "Le café était fermé à midi, hélas",
    ]
    assert [item.label for item in raw_items] == ["récit", "note"]


def test_the_encoding_can_be_said(tmp_path: Path) -> None:
    raw = "text\nBugün güneşli\n".encode("cp1254")
    assert items(tmp_path / "t.csv", raw, content="text")[0].payload == raw.split(b"\n")[1]
    raw_items = items(tmp_path / "t.csv", raw, content="text", options={"encoding": "cp1254"})
    assert raw_items[0].payload.decode() == "Bugün güneşli"
    with pytest.raises(BadInput, match=r"encoding: .*is not the name of an encoding"):
        items(tmp_path / "t.csv", raw, content="text", options={"encoding": "cp999"})


@pytest.mark.parametrize(
    "table",
    [
        "'a, b';'text';'x'\n'1';'one; two';'p'\n'2';'three';'q'\n",  # quoted with apostrophes
        '"a, b, c";"text";"x"\n"1";"one; two";"p"\n"2";"three";"q"\n',
        'a, text, x\n1, "one; two", p\n2, three, q\n',  # a blank behind each separator
        "a|text|x,y,z,,\n1|one; two|p\n2|three|q\n",
    ],
)
def test_how_cells_are_separated_is_found(tmp_path: Path, table: str) -> None:
    assert [item.payload for item in items(tmp_path / "t.csv", table.encode(), content="text")] == [b"one; two", b"three"]


WORDS = ["river", "mountain", "moon", "wine", "autumn", "wind", "guest", "lute", "boat", "lamp", "snow", "crane"]


def prose(at: int, words: int = 8) -> str:
    return " ".join(WORDS[(at * step) % 12] for step in range(1, words + 1)) + f" {at}"


@pytest.mark.parametrize("separator", [",", "\t"])
def test_a_stray_quotation_mark_swallows_no_rows(tmp_path: Path, separator: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{'spam' if at % 5 == 0 else 'ham'}{separator}{prose(at)}" for at in range(80)]
    rows[20], rows[23] = f'ham{separator}"unbalanced {prose(20)}', f'spam{separator}ends" it {prose(23)}'
    raw = "\n".join([f"kind{separator}text", *rows, ""]).encode()
    raw_items = items(tmp_path / f"{separator == ','}.csv", raw, content="text", label="column:kind")
    assert [(item.label, item.payload.decode()) for item in raw_items] == [tuple(row.split(separator)) for row in rows]
    assert "a quotation mark opens and does not close in line 22" in capsys.readouterr().err


def test_a_quoted_text_of_several_lines_that_look_like_rows_is_one_text(tmp_path: Path) -> None:
    raw_items = items(tmp_path / "t.csv", b'id,text\n1,"Dear you,\ngood, and\nbye, me"\n2,short\n', content="text")
    assert [item.payload for item in raw_items] == [b"Dear you,\ngood, and\nbye, me", b"short"]


def test_a_merge_conflict_that_was_committed_is_refused(tmp_path: Path) -> None:
    rows = "\n".join(f"{at},{prose(at)}" for at in range(2000))
    for place, raw in {"first": f"<<<<<<< HEAD\nid,text\n{rows}", "last": f"id,text\n{rows}\n<<<<<<< HEAD\n1,x\n"}.items():
        with pytest.raises(BadInput, match=r"t.csv holds a merge conflict \('<<<<<<< HEAD'\); resolve it"):
            items(tmp_path / "t.csv", raw.encode())
        assert place


def test_a_table_without_a_header_loses_no_row_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f'"{1 + at % 4}","{prose(at, 5)}","{prose(at, 20)}"' for at in range(120)]
    raw_items = items(tmp_path / "news.csv", "\n".join(rows).encode())
    assert [(item.label, item.payload.decode()) for item in raw_items] == [
        (str(1 + at % 4), prose(at, 20)) for at in range(120)
    ]
    said = capsys.readouterr().err
    assert (
        "the columns are called column1, column2, column3; name them with --option columns=A,B,..., or say --header first"
        in said
    )
    assert "the content is taken to be column3 (free text), the label column1 (few values); say otherwise with" in said
    raw_items = items(tmp_path / "news.csv", "\n".join(rows).encode(), content="column2", label="none")
    assert [item.payload.decode() for item in raw_items] == [prose(at, 5) for at in range(120)]


def test_numbers_without_a_header_are_steps_of_a_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("\n".join(f"{at % 7 + 0.5},{at % 3 - 1.25}" for at in range(400)))
    source = SourceSettings(name="a", location=str(tmp_path / "t.csv"))
    assert csv.modality(source) == "series"
    (item,) = csv.read(source, "series")
    content = series.read(item.payload, item.name)
    assert (content.steps, content.channels, content.step) == (400, ("column1", "column2"), "1")
    assert content.values[:, 0].tolist() == [0.5, -1.25]
    assert "no column holds a time, so rows are counted, a step of 1 each; --time names one" in capsys.readouterr().err


def test_whether_there_is_a_header_can_be_said(tmp_path: Path) -> None:
    rows = "\n".join(f"x,{prose(at)}" for at in range(20))
    table = f"kind,text\n{rows}".encode()
    assert len(items(tmp_path / "t.csv", table, options={"header": "none"}, content="column2")) == 21
    assert len(items(tmp_path / "t.csv", rows.encode(), options={"header": "first"}, content=prose(0))) == 19
    assert len(items(tmp_path / "t.csv", rows.encode(), content=prose(0))) == 19  # a name that was given
    with pytest.raises(BadInput, match="header"):
        items(tmp_path / "t.csv", table, options={"header": "maybe"})


def test_the_label_and_the_text_are_plain_to_see(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = "Label,SMS\n" + "\n".join(f"{'spam' if at % 5 == 0 else 'ham'},{prose(at)}" for at in range(60))
    raw_items = items(tmp_path / "t.csv", table.encode())
    assert [(item.label, item.payload) for item in raw_items[:2]] == [("spam", prose(0).encode()), ("ham", prose(1).encode())]
    assert "the content is taken to be SMS (free text), the label Label (few values)" in capsys.readouterr().err
    assert {item.label for item in items(tmp_path / "t.csv", table.encode(), label="none")} == {None}


def test_the_separator_can_be_said(tmp_path: Path) -> None:
    raw = b"text:kind\na, b:x\n"
    assert items(tmp_path / "t.csv", raw, content="text", options={"delimiter": ":"})[0].payload == b"a, b"
    assert (
        items(tmp_path / "t.csv", raw.replace(b":", b"\t"), content="text", options={"delimiter": "tab"})[0].payload == b"a, b"
    )
    with pytest.raises(BadInput, match=r"delimiter: .*not one character"):
        items(tmp_path / "t.csv", raw, content="text", options={"delimiter": "::"})


def test_a_line_of_a_table_with_one_column_is_one_cell(tmp_path: Path) -> None:
    raw_items = items(tmp_path / "t.csv", b'text\nHello, world; all\n\n"two\nlines"\n')
    assert [item.payload for item in raw_items] == [b"Hello, world; all", b"two\nlines"]


def test_rows_of_another_length_are_named_and_the_others_stay(tmp_path: Path) -> None:
    raw_items = items(tmp_path / "t.csv", b"id,text,kind\n1,good,x\n2,not, quoted,y\n3,cut\noff,z\n4,fine,x\n", content="text")
    assert [item.payload for item in raw_items] == [b"good", b"", b"", b"", b"fine"]
    assert raw_items[1].name.startswith("t.csv row 2 cannot be read: has 4 cells, the header 3; quote cells")
    assert raw_items[2].name.startswith("t.csv row 3 cannot be read: has 2 cells, the header 3")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="more than one column 'text'"):
        items(tmp_path / "t.csv", b"text,id,text\na,1,b\n", content="text")


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    for raw in (b"", b"\n\n"):
        with pytest.raises(BadInput, match="no column"):
            items(tmp_path / "t.csv", raw, content="text")


@pytest.mark.parametrize(("name", "labels"), [("Label", ["a", "b"]), ("votes", [None, None])])
def test_a_column_that_is_called_a_label_is_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, labels: list[str | None]
) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_text(
        f"text,{name}\n" + "\n".join(f"some words {at},{'ab'[at % 2] if name == 'Label' else at % 2}" for at in range(40))
    )
    raw_items = list(csv.read(SourceSettings(name="a", location=str(path)), "text"))
    assert [item.label for item in raw_items][:2] == labels
    assert ("the label Label (few values)" in capfd.readouterr().err) == (name == "Label")
    unlabelled = csv.read(SourceSettings(name="a", location=str(path), label="none"), "text")
    assert {item.label for item in unlabelled} == {None}


def test_several_columns_are_the_lines_of_a_text(tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_text('question,answer\n"How do\nI pay?","By card,\nor by bill"\nWhere is it?,\n')
    source = SourceSettings(name="faq", location=str(file), content="question,answer")
    assert csv.modality(source) == "text"
    first, second = csv.read(source, "text")
    assert first.payload == b"How do I pay?\nBy card,\nor by bill"
    assert second.payload == b"", "half of it is nothing"
    with pytest.raises(BadInput, match=r"has no column 'anser' \(for content\); did you mean 'answer'"):
        csv.modality(source.model_copy(update={"content": "question,anser"}))
    with pytest.raises(BadInput, match="several columns are the lines of a text, and image is asked for"):
        list(csv.read(source, "image"))
