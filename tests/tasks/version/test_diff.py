from __future__ import annotations

import pytest

from tasks.version.diff import State, compare, diff


def state(splits: dict[str, str], labels: str = "", reasons: dict[str, str] | None = None, **sources: str) -> State:
    """Items named by one letter; each comes from a source of its name where none is given."""
    reasons = reasons or {}
    keys = [*splits, *reasons]
    return State(
        splits=splits,
        reasons=reasons,
        sources={key: sources.get(key, key) for key in keys},
        labels=dict(zip(splits, labels or "x" * len(splits), strict=True)),
        bytes=dict.fromkeys(splits, 10),
        counts={},
    )


def counts(before: State, after: State) -> dict[str, int]:
    comparison = compare(before, after)
    kinds = ("added", "removed", "changed", "quarantined", "released", "moved")
    return {kind: comparison[kind].count for kind in kinds if comparison[kind].count} | {"unchanged": comparison["unchanged"]}


def test_every_item_is_told_once():
    before = state({"a": "train", "b": "train", "c": "test", "d": "train", "e": "train"}, reasons={"q": "empty: has no text"})
    after = state(
        {"a": "train", "n": "train", "c": "train", "m": "test", "q": "train"}, reasons={"d": "bridge: stands between"}, m="e"
    )
    assert counts(before, after) == {
        "unchanged": 1,
        "added": 1,
        "removed": 1,
        "changed": 1,
        "quarantined": 1,
        "released": 1,
        "moved": 1,
    }
    comparison = compare(before, after)
    assert comparison["quarantined"].first == ("d (bridge: stands between)",)
    assert comparison["moved"].first == ("c (test to train)",)
    assert comparison["removed"].first == ("b",)


def test_a_shift_of_the_labels_is_told_from_chance():
    keys = [f"{at:03}" for at in range(400)]
    even = state(dict.fromkeys(keys, "train"), "ab" * 200)
    alike = state(dict.fromkeys(keys, "train"), "ab" * 195 + "b" * 10)
    other = state(dict.fromkeys(keys, "train"), "a" * 100 + "b" * 300)
    p = [next(s.p for s in compare(even, side)["shifts"] if s.what == "labels") for side in (alike, other)]
    assert p[0] > 0.3
    assert p[1] < 1e-6


def test_too_few_items_give_no_test():
    shift = compare(state({"a": "train", "b": "test"}, "xy"), state({"a": "train", "c": "test"}, "xy"))["shifts"][0]
    assert (shift.what, shift.test, shift.p) == ("labels", "", None)


@pytest.mark.slow
def test_two_versions_are_read_from_the_cache(history):
    comparison = diff(history.workspace, "letters", history.versions[0])
    assert (comparison.before, comparison.after) == history.versions
    assert comparison.unchanged == 60
    assert (comparison.added.count, comparison.changed.count) == (19, 1)
    assert comparison.changed.first == ("letter/0",)
    assert comparison.counts["kept"] == (60, 80)
    assert {shift.what for shift in comparison.shifts} == {"labels", "bytes of an item"}
