"""Rows of a database."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from aigc_models.errors import BadInput
from tasks.ingest import source
from tasks.ingest.source import RawItem, SourceSettings
from tasks.ingest.sources import sql

ROWS = [(1, "red", "it's 50% :off; now"), (2, "blue", "bye"), (3, "red", "hello")]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("create table notes (id integer, kind text, words text)")
        database.executemany("insert into notes values (?, ?, ?)", ROWS)
    return tmp_path / "shop.db"


def of(shop: Path, query: str = "select * from notes", **settings: Any) -> SourceSettings:
    options = {"query": query, **settings.pop("options", {})}
    return SourceSettings(name="a", location=f"sqlite:///{shop}", options=options, content="words", **settings)


def items(settings: SourceSettings) -> list[RawItem]:
    assert source.modality(settings) == "text"
    return list(source.read(settings, "text"))


def execute(shop: Path, statement: str) -> None:
    with sqlite3.connect(shop) as database:
        database.execute(statement)


def test_each_column_has_its_use(shop: Path) -> None:
    raw_items = items(of(shop, "select * from notes where words like '%e%';", label="column:kind", group="id"))
    assert [(item.payload, item.label, item.group) for item in raw_items] == [(b"bye", "blue", "2"), (b"hello", "red", "3")]
    assert raw_items[0].name == "shop.db row 1"


def test_items_and_fingerprint_are_the_same_in_whatever_order_the_database_keeps_its_rows(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "shop.db"
    with sqlite3.connect(other) as database:
        database.execute("create table notes (id integer, kind text, words text)")
        database.executemany("insert into notes values (?, ?, ?)", ROWS[::-1])
    assert items(of(shop)) == items(of(other))
    assert sql.fingerprint(of(shop)) == sql.fingerprint(of(other))


def test_an_order_of_the_query_itself_is_kept(shop: Path) -> None:
    raw_items = items(of(shop, "select * from notes where id in (select id from notes order by id) order by id desc -- newest"))
    assert [item.payload for item in raw_items] == [b"hello", b"bye", ROWS[0][2].encode()]
    assert {item.id for item in raw_items} == {item.id for item in items(of(shop))}


def test_a_new_row_leaves_the_ids_of_the_others_and_changes_the_fingerprint(shop: Path) -> None:
    ids, digest = {item.id for item in items(of(shop))}, sql.fingerprint(of(shop))
    execute(shop, "insert into notes values (0, 'blue', 'first of all')")
    assert len({item.id for item in items(of(shop))} - ids) == 1
    assert {item.id for item in items(of(shop))} > ids
    assert sql.fingerprint(of(shop)) != digest


def test_with_a_key_a_row_is_known_by_it(shop: Path) -> None:
    settings = of(shop, options={"key": "id"})
    assert [item.source for item in items(settings)] == ["shop.db#1", "shop.db#2", "shop.db#3"]
    with pytest.raises(BadInput, match="no column 'idd'"):
        items(of(shop, options={"key": "idd"}))


def test_rows_that_are_points_of_time_are_a_series(shop: Path) -> None:
    execute(shop, "create table load (at text, heat real)")
    for day in (2, 1, 3):
        execute(shop, f"insert into load values ('2024-01-0{day}', {day}.5)")
    settings = SourceSettings(name="a", location=f"sqlite:///{shop}", options={"query": "select * from load"})
    assert source.modality(settings) == "series"
    (item,) = source.read(settings, "series")
    assert item.payload == b"time,heat\n2024-01-01,1.5\n2024-01-02,2.5\n2024-01-03,3.5\n"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("delete from notes", "not a SELECT"),
        ("select 1; delete from notes", "more than one statement"),
        ("with gone as (select 1) delete from notes", "refuses"),
        ("select * from note", "no such table: note"),
        ("selec 1", "not a SELECT"),
    ],
)
def test_what_is_no_working_select_is_refused_and_changes_nothing(shop: Path, query: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        items(of(shop, query))
    assert len(items(of(shop))) == 3


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("sqlite:///nowhere/a.db", "no file nowhere/a.db"),
        ("sqlite://", "none named"),
        ("postgresql+nodriver://me@localhost/a", r"no driver for postgresql\+nodriver"),
        ("postgresql://me@localhost:port/a", "not a URL"),
    ],
)
def test_a_place_that_cannot_be_asked_is_refused_in_words(location: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        source.modality(SourceSettings(name="a", location=location, options={"query": "select 1"}))


def test_the_query_is_asked_for(shop: Path) -> None:
    with pytest.raises(BadInput, match="query: is missing"):
        source.modality(SourceSettings(name="a", location=f"sqlite:///{shop}"))


@pytest.mark.parametrize(
    "location",
    [
        "postgresql+psycopg://me:hush@localhost/a",
        "postgresql+psycopg://me:hu/sh@localhost/a",
        "postgresql+psycopg://localhost/a?user=me&password=hush",
        "mysql+pymysql://:hush@localhost/a",
        "https://me:hush@example.org/a.csv",
    ],
)
def test_a_password_in_the_location_is_refused_and_not_repeated(location: str) -> None:
    with pytest.raises(BadInput, match="password does not belong") as error:
        SourceSettings(name="a", location=location)
    assert "hush" not in str(error.value)
    assert "hu/sh" not in str(error.value)


@pytest.mark.parametrize("location", ["sqlite:///a:b@c.db", "https://example.org:8080/a@b", "C:/me:a@b"])
def test_what_only_looks_like_a_password_is_let_through(location: str) -> None:
    assert SourceSettings(name="a", location=location).location == location


def test_the_card_names_the_database_without_the_path_of_a_machine(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.parent)
    relative = SourceSettings(name="a", location="sqlite:///shop.db", options={"query": "select 1"})
    assert source.description(relative) == "sqlite:///shop.db"
    assert sql.place(relative) == f"sqlite:///{shop}"
