from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tasks.deduplicate import near_join
from tasks.deduplicate.near_join import NEIGHBOURS, Columns, Contents, alike_pairs, candidates


class Numbers:
    """A modality whose items are numbers, alike where they differ by one at most."""

    @staticmethod
    def unpack(content: bytes) -> int:
        return int(content)

    @staticmethod
    def traits(content: int) -> int:
        return content

    @staticmethod
    def alike(one: int, other: int) -> bool:
        return abs(one - other) <= 1


@pytest.fixture
def joined(tmp_path: Path) -> Callable[..., list[tuple[int, int]]]:
    def join(rows: list[list[int]], least: int = 1) -> list[tuple[int, int]]:
        return [(int(one), int(other)) for one, other in candidates(np.array(rows, dtype=np.uint32).T, tmp_path, least)]

    return join


def test_items_that_share_a_band_are_candidates_once(joined) -> None:
    assert joined([[1, 9], [2, 8], [1, 9], [3, 8]]) == [(0, 2), (1, 3)]
    assert joined([[1, 1], [2, 2]]) == []
    assert joined([[1, 9, 5], [2, 8, 6], [1, 9, 7], [3, 8, 4]], least=2) == [(0, 2)]


def test_what_comes_later_adds_pairs_and_changes_none(joined) -> None:
    rows = [[7]] * (3 * NEIGHBOURS)
    before, after = set(joined(rows[: 2 * NEIGHBOURS])), set(joined(rows))
    assert before == {pair for pair in after if pair[1] < 2 * NEIGHBOURS}
    assert max(later - earlier for earlier, later in after) == NEIGHBOURS  # grows with the items, not with their square


def test_it_does_not_matter_how_much_is_looked_at_at_a_time(joined, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).integers(0, 90, (300, 4)).tolist()
    whole = joined(rows, least=2)
    monkeypatch.setattr(near_join, "SORTED", 7)
    monkeypatch.setattr(near_join, "RANGE", 11)
    assert joined(rows, least=2) == whole
    assert whole == [
        (one, other) for one in range(300) for other in range(one + 1, 300) if sum(map(int.__eq__, rows[one], rows[other])) >= 2
    ]


def test_columns_go_through_files(tmp_path) -> None:
    with closing(Columns(tmp_path)) as columns:
        columns.add(np.array([[1, 2], [3, 4]], dtype=np.uint32))
        columns.add(np.array([[5, 4]], dtype=np.uint32))
        assert [column.tolist() for column in columns] == [[1, 3, 5], [2, 4, 4]]


def test_candidates_are_compared_by_their_contents(tmp_path) -> None:
    with closing(Contents(tmp_path / "contents", [(0, b"10"), (3, b"11"), (4, b"200")])) as contents:
        assert alike_pairs(np.array([[0, 3], [0, 4], [3, 4]]), contents, Numbers).tolist() == [[0, 3]]
        assert alike_pairs(np.empty((0, 2), dtype=np.int64), contents, Numbers).shape == (0, 2)
