from __future__ import annotations

from tasks.dataset.placed import placed
from tasks.dataset.tables import write

TYPES = {"id": "string", "split": "string"}


def test_items_that_have_a_place_come_with_it_and_what_the_shards_say(handmade, sentences, monkeypatch) -> None:
    monkeypatch.setattr("tasks.dataset.placed.ROWS", 2)
    data = handmade()
    ids = data.add(sentences(5), [{"label": name} for name in "abcde"]) + data.add(sentences(3, start=9))
    columns = {"id": [ids[1], ids[4], ids[4], ids[7]], "split": ["test", "train", "validation", "train"]}
    parts = list(placed(data.clean, write(data.clean.parent / "splits.parquet", TYPES, columns), ["label"]))
    rows = [row for part in parts for row in zip(part["id"], part["split"], part["label"], strict=True)]
    assert rows == [(ids[1], "test", "b"), (ids[4], "validation", "e"), (ids[7], "train", None)]
    assert max(len(part["id"]) for part in parts) <= 2
