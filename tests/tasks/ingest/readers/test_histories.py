"""Tables of events: one history a user."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from aigc_models.errors import CANNOT, BadInput
from aigc_models.modalities import events
from tasks.ingest.readers import histories
from tasks.ingest.source import RawItem, SourceSettings, read

FILMS = ["user,film,rating,when", "ann,Alien,4,30", "bob,Brazil,,10", "ann,Brazil,3.5,20", "bob,Alien,5,15"]


def items(tmp_path: Path, lines: list[str], **fields: str) -> list[RawItem]:
    (tmp_path / "films.csv").write_text("\n".join(lines) + "\n")
    named = {"group": "user", "content": "film,rating", "time": "when", "modality": "events", **fields}
    return list(read(SourceSettings(name="a", location=str(tmp_path / "films.csv"), **named), "events"))


def shown(item: RawItem) -> list[tuple[float, str]]:
    content = events.read(item.payload, item.name)
    return list(zip(content.times.tolist(), content.values.tolist(), strict=True))


def test_the_rows_of_a_user_are_one_item_in_the_order_of_time(tmp_path: Path) -> None:
    ann, bob = items(tmp_path, FILMS)
    assert (ann.group, bob.group) == ("ann", "bob")
    assert shown(ann) == [(20, "Brazil"), (30, "Alien")]
    weights = events.read(bob.payload, "b").weights
    assert weights is not None
    assert str(weights.tolist()) == "[nan, 5.0]"


def test_the_same_rows_in_another_order_give_the_same_histories(tmp_path: Path) -> None:
    before = {(item.id, item.payload) for item in items(tmp_path, FILMS)}
    assert {(item.id, item.payload) for item in items(tmp_path, [FILMS[0], *FILMS[:0:-1]])} == before


def test_dates_are_times_too(tmp_path: Path) -> None:
    rows = ["user,film,when", "ann,A,2024-03-02", "ann,B,2024-03-01T12:00:00"]
    (ann,) = items(tmp_path, rows, content="film")
    content = events.read(ann.payload, ann.name)
    assert content.dated
    assert content.values.tolist() == ["B", "A"]
    assert content.times[1] - content.times[0] == 12 * 3600


def test_rows_that_cannot_be_used_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    rows = [*FILMS, ",Alien,4,1", "ann,,4,1", "ann,Alien,4,", "ann,Alien,4,soon", "ann,Alien,good,5"]
    bad = [item.name for item in items(tmp_path, rows) if not item.payload]
    assert [name.partition(CANNOT)[0] for name in bad] == [f"films.csv row {number}" for number in (5, 6, 7, 8, 9)]
    reasons = ["has no user", "has no item", "has no time", "'soon' .* is not a number or a date", "'good' .* is not a number"]
    for name, reason in zip(bad, reasons, strict=True):
        assert re.search(reason, name)
    assert len([item for item in items(tmp_path, rows) if item.payload]) == 2


def test_columns_that_there_are_not_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no column 'stars' \(for weight\); it has: user, film, rating, when"):
        items(tmp_path, FILMS, content="film,stars")
    with pytest.raises(BadInput, match="no column 'date'"):
        items(tmp_path, FILMS, time="date")


def test_a_history_has_one_label_and_one_split(tmp_path: Path) -> None:
    rows = ["user,film,when,kind", "ann,A,1,x", "ann,B,2,x", "bob,A,1,y"]
    assert [item.label for item in items(tmp_path, rows, content="film", label="column:kind")] == ["x", "y"]
    with pytest.raises(BadInput, match="row 4: the label or the split of 'bob'"):
        items(tmp_path, [*rows, "bob,B,2,x"], content="film", label="column:kind")


def test_a_table_longer_than_memory_is_read_in_parts_where_users_stand_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [FILMS[0], *(f"user{at // 3},film{at},1,{at}" for at in range(30))]
    whole = {(item.id, item.payload) for item in items(tmp_path, rows)}
    monkeypatch.setattr(histories, "MOST", 7)
    assert {(item.id, item.payload) for item in items(tmp_path, rows)} == whole
    mixed = [FILMS[0], *(f"user{at % 3},film{at},1,{at}" for at in range(30))]
    with pytest.raises(BadInput, match="sort it by 'user'"):
        items(tmp_path, mixed)
