from __future__ import annotations

from pathlib import Path

from tasks.tables import payloads, read, shards, write


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    columns = {"id": ["a", "b"], "near": [["x"], []]}
    one, two = (write(tmp_path / f"{name}.parquet", {"id": "string", "near": "list<string>"}, columns) for name in "xy")
    assert one.read_bytes() == two.read_bytes()
    assert read([one, two], ["near"]) == {"near": [["x"], [], ["x"], []]}


def test_payloads_come_in_shard_order(handmade) -> None:
    data = handmade()
    later = data.add(["one", "two"])
    earlier = data.add(["three", "four"], rejected=2)
    found = list(payloads(data.clean, {earlier[1], later[0]}))
    assert found == [(later[0], b"one"), (earlier[1], b"four")]
    assert [path.name for path in shards(data.clean, rejected=True)][1].endswith(".rejected.parquet")
