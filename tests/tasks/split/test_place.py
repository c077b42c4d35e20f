from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from aigc_models.errors import BadInput
from tasks.split import place as file
from tasks.split import times
from tasks.split.folds import fold_of
from tasks.split.place import place
from tasks.split.rows import Row
from tasks.split.settings import SplitSettings


def placing(rows: list[Row], settings: SplitSettings) -> tuple[dict[str, str], dict[str, str]]:
    """The split of each item that has one, and why the others have none."""
    places = list(place(rows, settings))
    return {one.row.id: one.split for one in places if one.split}, {one.row.id: one.reason for one in places if not one.split}


def row(name: str, near: tuple[str, ...] = (), **fields: str | None) -> Row:
    empty = dict.fromkeys(("label", "group", "given", "time", "duplicate_of", "rule"))
    return Row(**{"id": name, "source": name, "exact": name, "near": near, **empty, **fields})


def rows_in(settings: SplitSettings, **wanted: str) -> list[Row]:
    """Items whose hash puts them where they are wanted."""
    rows = []
    for name, where in wanted.items():
        keys = (f"{name}{number}" for number in range(1000))
        exact = next(key for key in keys if placing([row(key)], settings)[0][key] == where)
        rows.append(row(name, exact=exact))
    return rows


def test_a_near_duplicate_of_two_splits_is_a_bridge() -> None:
    settings = SplitSettings()
    one, other = rows_in(settings, one="train", other="test")
    placed, bridges = placing([one, other, row("between", ("one", "other")), row("beside", ("between",))], settings)
    assert "between" not in placed
    assert bridges == {"between": "its near-duplicates or its group stand in train and test"}
    assert "beside" in placed  # a bridge itself stands nowhere


def test_a_group_in_one_split_and_a_near_duplicate_in_another_make_a_bridge() -> None:
    settings = SplitSettings()
    writer, other = rows_in(settings, writer="train", other="test")
    writer = row("writer", group=writer.exact)
    placed, bridges = placing([writer, other, row("between", ("other",), group=writer.group)], settings)
    assert placed == {"writer": "train", "other": "test"}
    assert set(bridges) == {"between"}


@pytest.mark.parametrize("moment", [lambda day: f"2024-0{1 + day // 28}-{1 + day % 28:02d}", str], ids=["dates", "numbers"])
def test_by_time_the_latest_are_the_test(moment) -> None:
    rows = [row(f"r{day}", time=moment(day)) for day in range(100)]
    placed, _ = placing(rows[::-1], SplitSettings(by="time"))
    assert [placed[f"r{day}"] for day in range(100)] == ["train"] * 80 + ["validation"] * 10 + ["test"] * 10


def test_by_time_needs_a_time() -> None:
    with pytest.raises(BadInput, match="neither a number nor a date"):
        placing([row("a", time="1"), row("b", time="soon")], SplitSettings(by="time"))


def test_by_time_an_embargo_lies_before_each_border() -> None:
    rows = [row(f"r{day}", time=f"2024-{1 + day // 28:02d}-{1 + day % 28:02d}") for day in range(100)]
    placed, left = placing(rows, SplitSettings(by="time", embargo="36h"))
    before, _ = placing(rows, SplitSettings(by="time"))
    assert {key: before[key] for key in left} == {"r79": "train", "r89": "validation"}
    assert placed == {key: name for key, name in before.items() if key not in left}
    assert set(left.values()) == {"lies 36h or less before the next split begins"}
    assert {one.rule for one in place(rows, SplitSettings(by="time", embargo="36h")) if not one.split} == {"embargo"}


def test_what_lies_in_the_embargo_pulls_nothing_to_its_side() -> None:
    rows = [row(f"r{day}", time=str(day)) for day in range(100)]
    rows += [row("copy", ("r79",), time="95")]
    placed, left = placing(rows, SplitSettings(by="time", embargo="2"))
    assert "r79" in left
    assert placed["copy"] == "test"


def test_an_embargo_has_the_unit_of_the_times() -> None:
    with pytest.raises(BadInput, match="times of the data set are dates: write a duration, such as 7 days"):
        placing([row("a", time="2024-01-01")], SplitSettings(by="time", embargo=7))
    with pytest.raises(BadInput, match="times of the data set are plain numbers"):
        placing([row("a", time="1")], SplitSettings(by="time", embargo="7 days"))
    with pytest.raises(ValueError, match="'soon' is neither a duration"):
        SplitSettings(by="time", embargo="soon")


def test_near_duplicates_share_a_fold_and_what_is_near_to_two_folds_has_none() -> None:
    settings = SplitSettings(folds=4)
    drawn = {one.row.id: one.fold for one in place([row(f"r{at}") for at in range(60)], settings) if one.split == "train"}
    first = next(iter(drawn))
    other = next(key for key in drawn if drawn[key] != drawn[first])
    rows = [row(f"r{at}") for at in range(60)] + [row("near", (first,)), row("both", (first, other)), row("beside", ("both",))]
    folds = {one.row.id: one.fold for one in place(rows, settings)}
    assert folds["near"] == drawn[first]
    assert folds["both"] is None
    assert folds["beside"] == fold_of("beside", 4, "aigc")
    assert {key: folds[key] for key in drawn} == drawn


@pytest.mark.parametrize("by", ["hash", "time"])
def test_it_does_not_matter_how_many_rows_are_looked_at_at_a_time(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"r{at}" for at in range(80)]
    rows = [
        row(name, tuple(names[at - 3 * step] for step in range(1, at % 4) if at >= 9), group=f"g{at % 25}", time=str(at % 40))
        for at, name in enumerate(names)
    ]
    settings = SplitSettings(by=by, folds=3, validation=0.3, test=0.3)
    whole = list(place(rows, settings))
    monkeypatch.setattr(file, "AT_ONCE", 3)
    assert list(place(rows, settings)) == whole
    assert {"train", "test", None} <= {one.split for one in whole}


class Many:
    """Rows that are made anew each time they are gone through; one in twenty is near to one before it."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[Row]:
        for at in range(self.count):
            near = (f"item {at - 7}",) if at % 20 == 19 else ()
            yield row(f"item {at}", near, group=f"group {at // 3}", time=str(at))


@pytest.mark.parametrize("by", ["hash", "time"])
def test_memory_hardly_grows_with_the_rows(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "AT_ONCE", 50)
    monkeypatch.setattr(times, "AT_ONCE", 50)
    peaks = []
    for count in (500, 1000, 5000):  # the first for what is made once
        tracemalloc.start()
        for _ in place(Many(count), SplitSettings(by=by, folds=3)):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 4000 * 40
