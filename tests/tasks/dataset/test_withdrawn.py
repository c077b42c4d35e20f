"""The list of what a source no longer holds."""

from __future__ import annotations

from pathlib import Path

from tasks.dataset.withdrawn import FILE, count_current, count_marks, current, keep, withdrawn


def test_withdrawn_rows_do_not_count(handmade, tmp_path: Path) -> None:
    data = handmade()
    ids = data.add(["one", "two", "three"], [{"changed": ["a"]}, {"changed": ["a", "b"]}, {}], rejected=2)
    assert (count_current(data.clean), count_current(data.clean, rejected=True)) == (3, 2)
    keep(data.clean, [ids[1], "bad0-0"], tmp_path)
    assert withdrawn(data.clean) == {ids[1], "bad0-0"}
    assert (count_current(data.clean), count_current(data.clean, rejected=True)) == (2, 1)
    assert count_marks(data.clean, "changed") == {"a": 1}
    assert [row for part in current(data.clean, ["id"]) for row in part["id"]] == [ids[0], ids[2]]


def test_an_empty_list_is_none(tmp_path: Path) -> None:
    keep(tmp_path / "raw", ["b", "a"], tmp_path)
    assert (tmp_path / "raw" / FILE).read_text() == "a\nb\n"
    keep(tmp_path / "raw", [], tmp_path)
    assert list((tmp_path / "raw").iterdir()) == []
