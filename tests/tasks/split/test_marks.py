from __future__ import annotations

from tasks.split.marks import Marks, key


def test_only_texts_that_were_given_have_a_place_and_keep_a_number() -> None:
    given = ["b", "", "a long one", "b", "\ud800"]
    marks = Marks(b"".join(map(key, given)))
    places = marks.places([*given, None, "c"])
    assert len(marks) == 4
    assert places[0] == places[3]
    assert sorted({*places[:5]}) == [0, 1, 2, 3]
    assert places[5:] == [-1, -1]
    for place in places:
        marks[place] = 7 + place
    assert [marks[place] for place in places] == [7 + place if place >= 0 else 0 for place in places]


def test_nothing_was_given() -> None:
    marks = Marks(b"")
    assert marks.places(["a", None]) == [-1, -1]
