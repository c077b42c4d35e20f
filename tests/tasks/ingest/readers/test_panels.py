"""Series beside columns of names: stocks by ticker, weather with a word for each day, and what is no such table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from tasks.ingest.readers.panels import Panel, panel
from tasks.ingest.source import RawItem, SourceSettings, modality, read

DAYS = [(date(2020, 1, 1) + timedelta(days=at)).isoformat() for at in range(30)]


def items(path: Path, header: str, rows: Sequence[str], **named: str) -> list[RawItem]:
    path.write_text("\n".join([header, *rows]) + "\n")
    source = SourceSettings(name="x", location=str(path), **named)
    assert modality(source) == "series"
    return list(read(source, "series"))


def stocks(tickers: str = "abc") -> Iterator[str]:
    return (f"{ticker},{day},{at + 0.5}" for ticker in tickers for at, day in enumerate(DAYS))


@pytest.mark.parametrize("order", [list, sorted], ids=["one after the other", "day by day"])
def test_a_series_for_each_name(tmp_path: Path, capfd: pytest.CaptureFixture[str], order: type) -> None:
    rows = order(stocks()) if order is list else sorted(stocks(), key=lambda row: row.split(",")[1])
    series_of_each = items(tmp_path / f"{order.__name__}.csv", "Ticker,Date,Close", rows)
    assert [item.source.partition("#")[2] for item in series_of_each] == ["a", "b", "c"]
    assert [item.payload.decode().splitlines()[:2] for item in series_of_each] == [["time,Close", "2020-01-01,0.5"]] * 3
    said = capfd.readouterr().err
    assert re.search(r"series of Close by Date, one for each Ticker; say otherwise with --content, --time, --group", said)


def test_a_name_that_is_the_same_in_all_rows_looked_at_tells_them_apart_from_what_follows(tmp_path: Path) -> None:
    many = [f"{name},{(date(2000, 1, 1) + timedelta(days=at)).isoformat()},{at}" for name in "xy" for at in range(300)]
    assert len(items(tmp_path / "t.csv", "id,when,v", many)) == 2


def test_words_beside_the_numbers_of_a_day_are_left_out_and_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [f"{day},{at},{'rain' if at % 3 else 'sun'}" for at, day in enumerate(DAYS)]
    (item,) = items(tmp_path / "weather.csv", "date,wind,weather", rows)
    assert item.payload.startswith(b"time,wind\n2020-01-01,0\n")
    assert "left out, since it holds text: weather" in capfd.readouterr().err


def test_years_that_rise_for_each_country_are_the_time(tmp_path: Path) -> None:
    rows = [f"{country},{continent},{year},{year / 7:.3f}" for country, continent in (("Chad", "Africa"), ("Peru", "America"))
            for year in range(1952, 2012, 5)]  # fmt: skip
    series_of_each = items(tmp_path / "t.csv", "country,continent,year,life", rows)
    assert [item.source.partition("#")[2] for item in series_of_each] == ["Chad", "Peru"]
    assert series_of_each[0].payload.startswith(b"time,life\n1952,278.857\n1957,")


def test_what_the_user_named_is_not_guessed(tmp_path: Path) -> None:
    rows = [f"{ticker},{day},{at},{at}" for ticker in "ab" for at, day in enumerate(DAYS)]
    series_of_each = items(tmp_path / "t.csv", "Ticker,Date,Open,Close", rows, content="Close", group="Ticker")
    assert [item.payload.splitlines()[0] for item in series_of_each] == [b"time,Close"] * 2
    (tmp_path / "u.csv").write_text("Ticker,Date,Close\n" + "\n".join(stocks()))
    source = SourceSettings(name="x", location=str(tmp_path / "u.csv"), modality="text", content="Ticker")
    assert {item.payload for item in read(source, "text")} == {b"a", b"b", b"c"}


@pytest.mark.parametrize(
    ("columns", "time"),
    [
        pytest.param(
            {"when": DAYS, "said": [f"a text of some words {day}" for day in DAYS], "n": ["1"] * 30}, "when", id="texts"
        ),
        pytest.param({"when": DAYS, "name": [f"n{at}" for at in range(30)], "n": ["1"] * 30}, "when", id="names that differ"),
        pytest.param({"when": DAYS[:15] * 2, "name": ["a", "b", "b"] * 10, "n": ["1"] * 30}, "when", id="times that repeat"),
        pytest.param({"when": DAYS, "name": ["a", "b"] * 15}, "when", id="no numbers"),
        pytest.param({"kind": ["a", "b"] * 15, "size": list(map(str, range(30)))}, None, id="no time"),
        pytest.param({"when": DAYS[:4], "name": ["a"] * 4, "n": ["1"] * 4}, "when", id="few rows"),
    ],
)
def test_what_is_not_plain_is_not_guessed(columns: dict[str, list[str]], time: str | None) -> None:
    assert panel(columns, time) is None


def test_a_long_name_that_stands_in_all_rows_is_a_name() -> None:
    columns = {"station": ["Lincoln 8 ENE, NE, United States of America"] * 30, "day": DAYS, "t": list(map(str, range(30)))}
    assert panel(columns, "day") == Panel("day", "station", ())


def test_texts_with_a_date_and_a_number_stay_texts(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(
        "date,stars,review\n" + "\n".join(f"{day},{at % 5},a review of some words {at}" for at, day in enumerate(DAYS))
    )
    for content in ("review", None):
        source = SourceSettings(name="x", location=str(path), content=content)
        assert modality(source) == "text"
        assert next(read(source, "text")).payload == b"a review of some words 0"
