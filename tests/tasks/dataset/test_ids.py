from __future__ import annotations

import hashlib

import pytest

from tasks.dataset.ids import Ids, keys_of, within


@pytest.mark.parametrize("recent", [1, 7, 1000])
def test_what_was_added_is_known_and_nothing_else(monkeypatch: pytest.MonkeyPatch, recent: int) -> None:
    monkeypatch.setattr("tasks.dataset.ids.RECENT", recent)
    names = [hashlib.sha256(str(at).encode()).hexdigest()[:24] for at in range(400)]
    names += [names[0][:16] + "0000000a", names[0][:16] + "00000000", "f" * 24, "0" * 24]
    ids = Ids()
    ids.sort_in(names[:100:2])
    assert [ids.add(name) for name in names[::2]] == [False] * 50 + [True] * (len(names) // 2 - 50)
    assert [name in ids for name in names] == [True, False] * (len(names) // 2)
    assert len(ids) == len(names) // 2


def test_marks_stay_with_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.dataset.ids.RECENT", 7)
    names = [hashlib.sha256(str(at).encode()).hexdigest()[:24] for at in range(100)]
    ids = Ids()
    ids.sort_in(names[:50], range(50))
    assert all(ids.add(name, mark) for mark, name in enumerate(names[50:], start=50))
    assert not ids.add(names[3], 99)
    assert [ids.mark(name) for name in names] == list(range(100))
    assert ids.mark("f" * 24) is None


def test_an_id_takes_sixteen_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.dataset.ids.RECENT", 100)
    ids = Ids()
    assert all(ids.add(f"{at:024x}") for at in range(1000))
    assert ids.heads.nbytes + ids.tails.nbytes + ids.marks.nbytes == 16 * len(ids) == 16_000


def test_keys_are_in_order_and_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.dataset.ids.RECENT", 7)
    names = [hashlib.sha256(str(at).encode()).hexdigest()[:24] for at in range(100)] + ["0" * 24, "ab" + "0" * 22]
    ids = Ids()
    for name in names[:60] + names[100:]:
        ids.add(name)
    assert [key.ljust(12, b"\0").hex() for key in ids.keys().tolist()] == sorted(names[:60] + names[100:])
    assert within(keys_of(names), ids.keys()).tolist() == [True] * 60 + [False] * 40 + [True] * 2
    assert not within(keys_of(names), Ids().keys()).any()
