"""Rows cleaned here and by several interpreters: the same rows in the same order; an item that crashes is put aside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from aigc_models.errors import AigcError
from tasks.clean import clean as cleaning
from tasks.clean import parts as clean_parts
from tasks.clean.parts import cleaned_shards
from tasks.stage.execution import Stopped
from tasks.stage.workers import Crashed


def shard(path: Path, texts: list[str]) -> Path:
    rows = [
        {"id": f"{at:024}", "source": f"{text[:9]}.txt", "name": "a.txt", "payload": text.encode()}
        for at, text in enumerate(texts)
    ]
    empty = dict.fromkeys(("label", "group", "split", "time", "prompt"))
    parquet.write_table(pyarrow.Table.from_pylist([{**row, **empty} for row in rows]), path)
    return path


def cleaned(todo: list[Path], stop: Any = lambda: False) -> list[Any]:
    with cleaned_shards(todo, cleaning.cleaner, ["text", {}], stop) as made:
        return [(path, *(table.to_pylist() for table in tables)) for path, tables in made]


def test_all_cores_do_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_parts, "PART_ROWS", 3)
    todo = [
        shard(tmp_path / "0.parquet", [f"a text with the number {at}" if at % 3 else "" for at in range(20)]),
        shard(tmp_path / "1.parquet", []),
        shard(tmp_path / "2.parquet", [f"caf\u00e9 number {at} of the others" for at in range(8)]),
    ]
    here = cleaned(todo)
    monkeypatch.setattr(clean_parts, "MANY_ROWS", 1)
    monkeypatch.setattr(clean_parts, "cores", lambda: 2)
    assert cleaned(todo) == here
    assert [(len(kept), len(rejected)) for _, kept, rejected in here] == [(13, 7), (0, 0), (8, 0)]


class Fragile:
    """Workers that die of texts that say so."""

    def __init__(self, signal: int) -> None:
        self.signal, self.clean = signal, cleaning.cleaner("text", {})

    def __call__(self, part: pyarrow.Table) -> list[pyarrow.Table]:
        if any(b"crash" in payload for payload in part["payload"].to_pylist()):
            raise Crashed(self.signal)
        return self.clean(part)


TEXTS = ["a first text", "a second text", "crash of a reader", "a third text"]


def test_an_item_that_crashes_its_reader_is_put_aside(tmp_path: Path) -> None:
    part = parquet.read_table(shard(tmp_path / "0.parquet", TEXTS))
    kept, rejected = (table.to_pylist() for table in clean_parts._survived(part, Fragile(11)))
    assert [row["source"] for row in kept] == ["a first t.txt", "a second .txt", "a third t.txt"]
    assert [(row["source"], row["rule"], row["reason"]) for row in rejected] == [
        ("crash of .txt", "unreadable", "its reader crashed (SIGSEGV)")
    ]


def test_a_killed_worker_names_the_item(tmp_path: Path) -> None:
    part = parquet.read_table(shard(tmp_path / "0.parquet", TEXTS))
    with pytest.raises(AigcError, match=r"cleaning crash of \.txt failed: .*signal 9; out of memory"):
        clean_parts._survived(part, Fragile(9))


def test_large_rows_go_in_smaller_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    todo = [shard(tmp_path / "0.parquet", ["x" * 1000] * 10)]
    monkeypatch.setattr(clean_parts, "PART_BYTES", 3000)
    assert next(clean_parts._parts(todo)).num_rows < 10
    assert sum(part.num_rows for part in clean_parts._parts(todo)) == 10


@pytest.mark.parametrize("many", [1, 1000])
def test_cleaning_ends_when_it_is_told_to(many: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_parts, "MANY_ROWS", many)
    with pytest.raises(Stopped):
        cleaned([shard(tmp_path / "0.parquet", TEXTS)], lambda: True)
