"""Times that stand in several columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from aigc_models.modalities import series
from tasks.ingest.readers.calendar_columns import joined
from tasks.ingest.source import SourceSettings, modality, read

MONTHS = "JAN,FEB,MAR,APR,MAY,JUN,JUL,AUG,SEP,OCT,NOV,DEC"


def content(path: Path, text: str, **named: str) -> series.Content:
    path.write_text(text)
    source = SourceSettings(name="x", location=str(path), **named)
    assert modality(source) == "series"
    (item,) = read(source, "series")
    return series.read(item.payload, item.name)


def test_months_side_by_side_are_one_series(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [f"{year},{','.join(str(year + month / 100) for month in range(1, 13))},7" for year in range(1950, 1954)]
    read_as = content(tmp_path / "t.csv", "\n".join([f"Year,{MONTHS},Annual", *rows]))
    assert (read_as.channels, read_as.step, read_as.steps) == (("value",), "1MS", 48)
    assert read_as.values[0, [0, 1, 12]].tolist() == pytest.approx([1950.01, 1950.02, 1951.01])
    assert "left out: Annual; for a channel each, name them with --content JAN,FEB" in capfd.readouterr().err
    each = content(tmp_path / "u.csv", "\n".join([f"Year,{MONTHS},Annual", *rows]), content=MONTHS)
    assert (len(each.channels), each.steps) == (12, 4)


@pytest.mark.parametrize(
    ("header", "rows", "step"),
    [
        pytest.param("year,quarter,gdp", [(1959 + at // 4, at % 4 + 1, at) for at in range(24)], "3MS", id="quarters"),
        pytest.param("YR,MON,gdp", [(1959 + at // 12, at % 12 + 1, at) for at in range(24)], "1MS", id="months"),
        pytest.param("day,month,year,gdp", [(at + 1, 3, 2020, at) for at in range(24)], "1D", id="days"),
        pytest.param(
            "No,year,month,day,hour,gdp", [(at, 2020, 3, 1 + at // 24, at % 24, at) for at in range(48)], "1h", id="h"
        ),
    ],
)
def test_parts_of_a_time_are_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], header: str, rows: list[tuple[int, ...]], step: str
) -> None:
    read_as = content(tmp_path / f"{step}.csv", "\n".join([header, *(",".join(map(str, row)) for row in rows)]))
    assert (read_as.step, read_as.steps, read_as.channels[-1]) == (step, len(rows), "gdp")
    assert "the time is taken from" in capfd.readouterr().err


def test_a_year_alone_and_what_is_out_of_bounds_stay_as_they_are() -> None:
    rows = [{"year": 2000 + at, "month": at, "v": at} for at in range(20)]  # a month 0, and 13
    one = joined(rows, ["year", "month", "v"], [])
    assert (list(one.rows), one.columns, one.note) == (rows, ["year", "month", "v"], "")
    named = joined([{"year": 2000, "month": 1}], ["year", "month"], ["month"])
    assert (named.columns, named.note) == (["year", "month"], "")


def test_numbers_of_rows_are_no_channel(tmp_path: Path) -> None:
    text = '"","time","v"\n' + "\n".join(f'"{at}",{1949 + at},{at % 7}' for at in range(1, 30))
    assert content(tmp_path / "t.csv", text).channels == ("v",)


def test_a_column_without_a_name_may_hold_the_time(tmp_path: Path) -> None:
    lines = [f"1969-{month:02}-01,{1000 + month},0" for month in range(1, 13)]
    read_as = content(tmp_path / "t.csv", "\n".join([",KSI,label", *lines]))
    assert (read_as.step, read_as.channels, read_as.steps) == ("1MS", ("KSI", "label"), 12)
