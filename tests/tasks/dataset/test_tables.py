from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from tasks.dataset import tables
from tasks.dataset.tables import Writer, columns_of, count_rows, numbered, payloads, read, shards, write


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    columns = {"id": ["a", "b"], "near": [["x"], []]}
    one, two = (write(tmp_path / f"{name}.parquet", {"id": "string", "near": "list<string>"}, columns) for name in "xy")
    assert one.read_bytes() == two.read_bytes()
    assert read([one, two], ["near"]) == {"near": [["x"], [], ["x"], []]}


def test_payloads_come_in_shard_order(handmade) -> None:
    data = handmade()
    later = data.add(["one", "two"])
    earlier = data.add(["three", "four"], rejected=2)
    pairs = list(payloads(data.clean, {earlier[1], later[0]}))
    assert pairs == [(later[0], b"one"), (earlier[1], b"four")]
    assert [path.name for path in shards(data.clean, rejected=True)][1].endswith(".rejected.parquet")


def test_gathered_parts_give_the_same_bytes_however_they_came(tmp_path: Path) -> None:
    types, rows = {"id": "string", "fold": "int32"}, [(str(at), at if at % 3 else None) for at in range(25)]
    files = []
    for size in (1, 4, 25):
        path = tmp_path / f"{size}.parquet"
        with Writer(path, types, rows=10) as table:
            for start in range(0, 25, size):
                table.add(dict(zip(types, map(list, zip(*rows[start : start + size], strict=True)), strict=True)))
        assert table.row_count == count_rows(path) == 25
        files.append(path.read_bytes())
    assert files[0] == files[1] == files[2]
    assert [parquet.read_metadata(path).row_group(at).num_rows for at in range(3)] == [10, 10, 5]
    assert columns_of(path) == ["id", "fold"]


def test_a_table_without_rows_is_a_table(tmp_path: Path) -> None:
    with Writer(tmp_path / "none.parquet", {"id": "string"}, rows=10):
        pass
    assert (tmp_path / "none.parquet").read_bytes() == write(tmp_path / "x.parquet", {"id": "string"}, {"id": []}).read_bytes()


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_a_column_of_numbered_items(handmade, sentences, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(tables, "VALUES", at_once)
    data = handmade()
    ids = data.add(sentences(5)) + data.add(sentences(5, start=9))
    pairs = [pair for part in numbered(data.clean, np.array([0, 4, 5, 8], dtype=np.int32), "id") for pair in part]
    assert pairs == [(0, ids[0]), (1, ids[4]), (2, ids[5]), (3, ids[8])]
