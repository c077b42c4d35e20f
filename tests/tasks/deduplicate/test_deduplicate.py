from __future__ import annotations

import numpy as np

from tasks.dataset.tables import read
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate, originals

COLUMNS = ["id", "kept", "duplicate_of", "rule", "near", "cluster"]
STORY = "The keeper of the lighthouse wrote down every ship that passed, and the weather, and what he had for supper"


def run(data, **settings):
    ref = deduplicate.plain(data.ref, DeduplicateSettings(**settings), data.context("deduplicate"))
    return ref, read([ref.path(data.workspace)], COLUMNS)


def test_the_first_of_exact_duplicates_is_kept(handmade) -> None:
    data = handmade()
    ids = data.add(["same", "other"]) + data.add(["same"], [{"source": "again"}])
    ref, rows = run(data)
    assert rows["id"] == ids
    assert rows["kept"] == [True, True, False]
    assert rows["duplicate_of"] == [None, None, ids[0]]
    assert rows["rule"] == [None, None, "exact"]
    assert (ref.exact, ref.conflicts, ref.groups) == (1, 0, 0)


def test_a_copy_with_another_label_is_a_conflict(handmade) -> None:
    data = handmade()
    data.add(["same"] * 4, [{"source": str(at), "label": label} for at, label in enumerate(["a", "b", "a", ""])])
    ref, rows = run(data)
    assert rows["rule"] == [None, "conflict", "exact", "exact"]
    assert ref.conflicts == 1


def test_near_duplicates_are_kept_and_name_the_earlier_ones(handmade, sentences) -> None:
    data = handmade()
    ids = data.add([STORY, *sentences(5), STORY + ".", STORY + "!"])
    ref, rows = run(data)
    assert rows["kept"] == [True] * 8
    assert rows["near"] == [[], [], [], [], [], [], [ids[0]], [ids[0], ids[6]]]
    assert rows["cluster"] == [ids[0], *ids[1:6], ids[0], ids[0]]
    assert (ref.groups, ref.grouped) == (1, 3)


def test_near_duplicates_can_be_left_alone(handmade) -> None:
    data = handmade()
    data.add([STORY, STORY + "."])
    ref, rows = run(data, near=False)
    assert rows["near"] == [[], []]
    assert ref.groups == 0


def test_pictures(handmade) -> None:
    data = handmade("image")
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 255, (16, 16, 3), dtype=np.uint8) for _ in range(6)]
    brighter = np.clip(pictures[2].astype(int) + 1, 0, 255).astype(np.uint8)
    ids = data.add([*pictures, brighter])
    ref, rows = run(data)
    assert rows["near"][-1] == [ids[2]]
    assert (ref.exact, ref.groups) == (0, 1)


def test_what_comes_later_changes_nothing_before_it(handmade, sentences) -> None:
    data = handmade()
    data.add([STORY, *sentences(10), STORY + "."])
    _, before = run(data)
    data.add([STORY + "!", *sentences(5, start=20)])
    _, after = run(data)
    assert {name: column[:12] for name, column in after.items()} == before


def test_originals() -> None:
    halves = np.array([[3, 1], [5, 5], [3, 2], [3, 1], [5, 5], [3, 1]], dtype=np.uint64)
    assert originals(halves).tolist() == [0, 1, 2, 0, 1, 0]
