from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from aigc_models.errors import BadInput
from aigc_models.modalities import series
from tasks.ingest.source import RawItem, SourceSettings, modality, read

ROWS = [(datetime(2020, 1, 1) + timedelta(days=at), at % 5 + 0.5, at) for at in range(40)]


def settings(path: Path, **named: str) -> SourceSettings:
    return SourceSettings(name="x", location=str(path), **named)


def items(path: Path, **named: str) -> list[RawItem]:
    source = settings(path, **named)
    assert modality(source) == "series"
    return list(read(source, "series"))


def csv_file(path: Path, header: str = "date,a,b", separator: str = ",") -> Path:
    lines = [header, *(separator.join(map(str, (time.date(), *rest))) for time, *rest in ROWS)]
    path.write_text("\n".join(lines).replace(",", separator))
    return path


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_every_kind_of_table_gives_the_same_series(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.{suffix}"
    if suffix in ("csv", "tsv"):
        csv_file(path, separator="\t" if suffix == "tsv" else ",")
    elif suffix == "jsonl":
        path.write_text("\n".join(json.dumps({"date": str(time.date()), "a": a, "b": b}) for time, a, b in ROWS))
    else:
        columns = dict(zip(("date", "a", "b"), map(list, zip(*ROWS, strict=True)), strict=True))
        parquet.write_table(pyarrow.table(columns), path)
    (item,) = items(path)
    content = series.read(item.payload, item.name)
    assert (item.source, content.channels, content.step, content.steps) == (f"t.{suffix}", ("a", "b"), "1D", 40)
    assert content.values[:, 7].tolist() == [2.5, 7.0]


def test_cells_go_through_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Datum;Wert\n01.02.2020;1,50\n13.02.2020;NA\n")
    (item,) = items(tmp_path / "t.csv")
    assert item.payload == b'time,Wert\n01.02.2020,"1,50"\n13.02.2020,NA\n'


def test_channels_and_time_are_named(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "t.csv", "date,a,n")
    (item,) = items(path, content="n")
    assert item.payload.startswith(b"time,n\n2020-01-01,0\n")
    (item,) = items(path, content="n, a")
    assert item.payload.startswith(b"time,n,a\n2020-01-01,0,0.5\n")
    (item,) = items(path, time="n", content="a")
    assert series.read(item.payload, "").step == "1"
    with pytest.raises(BadInput, match=r"no column 'c' \(for content\); it has: date, a, n"):
        list(read(settings(path, content="a,c"), "series"))


def test_one_series_for_each_group_with_its_label(tmp_path: Path) -> None:
    lines = [
        "date,shop,town,sales",
        *(f"2020-01-{day:02},{shop},{shop[0]},{day}" for day in range(1, 20) for shop in ("ax", "by")),
    ]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines))
    raw_items = items(path, group="shop", label="column:town")
    assert [(item.source, item.label) for item in raw_items] == [("t.csv#ax", "a"), ("t.csv#by", "b")]
    assert series.read(raw_items[1].payload, "").values[0].tolist() == list(range(1, 20))
    assert [item.source for item in items(path, label="column:town", content="sales")] == ["t.csv#a", "t.csv#b"]
    path.write_text("\n".join([*lines, "2020-02-01,ax,elsewhere,5"]))
    with pytest.raises(BadInput, match="row 39: the series 'ax' has the labels 'a' and 'elsewhere'"):
        list(read(settings(path, group="shop", label="column:town"), "series"))


@pytest.mark.parametrize(
    "lines",
    [
        ["date,review", *(f"2020-01-{day:02},quite good" for day in range(1, 9))],
        ["review,stars", *(f"quite good,{day}" for day in range(1, 9))],
        ["title", "a", "b"],
    ],
)
def test_a_table_of_texts_stays_text(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "t.csv").write_text("\n".join(lines))
    named = {"time": "date"} if lines[0].startswith("date") else {}
    assert modality(settings(tmp_path / "t.csv", **named)) == "text"


@pytest.mark.parametrize(
    ("times", "step", "first"),
    [
        ([f"{time:%Y-%m-%d %H:%M} CET" for time, _, _ in ROWS], "1D", "2020-01-01"),
        ([str(int(time.replace(tzinfo=UTC).timestamp()) * 1000) for time, _, _ in ROWS], "1D", "2020-01-01"),
        ([f"{time:%m/%d/%Y}" for time, _, _ in ROWS], "1D", "2020-01-01"),
        ([str(1850 + at) for at in range(40)], "1", "1850"),
        ([str(43831 + at) for at in range(40)], "1D", "2020-01-01"),  # as Excel counts days
    ],
)
def test_times_as_they_are_written_are_found(tmp_path: Path, times: list[str], step: str, first: str) -> None:
    rows = [f"{time},{a}" for time, (_, a, _) in zip(times, ROWS, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["when,sales", *rows]))
    (item,) = items(tmp_path / "t.csv")
    content = series.read(item.payload, item.name)
    assert (content.step, content.steps, content.stamps()[0], content.channels) == (step, 40, first, ("sales",))


def test_what_may_be_times_beside_numbers_is_asked(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("period,sales\n" + "\n".join(f"{at:02}th of 2023/24,{at}" for at in range(30)))
    with pytest.raises(
        BadInput, match=r"'00th of 2023/24'.*may hold times.*--modality series --content sales.*--modality text"
    ):
        modality(settings(tmp_path / "t.csv"))
    assert modality(settings(tmp_path / "t.csv", modality="text")) == "text"


def test_rows_without_a_time_are_counted_where_it_is_said_to_be_a_series(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n" + "\n".join(f"{at % 7},{at % 3}" for at in range(30)))
    (item,) = read(settings(tmp_path / "t.csv"), "series")
    content = series.read(item.payload, item.name)
    assert (content.step, content.channels, content.start) == ("1", ("x", "y"), 1.0)


def test_a_folder_of_tables_is_one_series_a_file(tmp_path: Path) -> None:
    (tmp_path / "in/deep").mkdir(parents=True)
    csv_file(tmp_path / "in/b.csv")
    csv_file(tmp_path / "in/deep/a.csv")
    (tmp_path / "in/README.md").write_text("about")
    raw_items = items(tmp_path / "in")
    assert [item.source for item in raw_items] == ["b.csv", "deep/a.csv"]
    (tmp_path / "in/b.csv").write_text("text\nhello\nyou\n")
    with pytest.raises(BadInput, match=r"holds tables of 2 shapes: b.csv with text; deep/a.csv with date, a, b"):
        modality(settings(tmp_path / "in"))


def test_a_text_column_beside_the_numbers_is_named(tmp_path: Path) -> None:
    lines = ["date,note,a", *(f"2020-01-{day:02},a fine note of day {day},{day}" for day in range(1, 20))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(BadInput, match="note hold text; say with --content which columns are numbers"):
        list(read(settings(tmp_path / "t.csv"), "series"))
    assert modality(settings(tmp_path / "t.csv", content="a")) == "series"
