from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tasks.deduplicate.deduplicate import near_prints
from tasks.deduplicate.near_join import NEIGHBOURS
from tasks.deduplicate.near_prints import Prints, near_pairs


class Points:
    """A modality whose fingerprints are three bytes, alike where each differs by ten at most, the last by two."""

    @staticmethod
    def positions(near: np.ndarray) -> np.ndarray:
        return near / np.array([10, 10, 10])

    @staticmethod
    def alike_prints(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        apart = np.abs(one.astype(int) - other)
        return (apart[:, 0] <= 10) & (np.hypot(apart[:, 1], apart[:, 2]) <= 10) & (apart[:, 2] <= 2)


def searched(rows: np.ndarray, folder: Path) -> list[tuple[int, int]]:
    prints = Prints(folder / f"prints{len(rows)}")
    for start in range(0, len(rows), 7):
        prints.add([row.tobytes() for row in rows[start : start + 7]])
    return [(int(one), int(other)) for one, other in near_pairs(prints, Points)]


def each_with_each(rows: np.ndarray) -> set[tuple[int, int]]:
    one, other = np.triu_indices(len(rows), 1)
    alike = Points.alike_prints(rows[one], rows[other])
    return set(zip(one[alike].tolist(), other[alike].tolist(), strict=True))


def points(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 3), dtype=np.uint8)


def test_all_are_found_whatever_the_blocks(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(near_prints, "SWEPT", 16)
    monkeypatch.setattr(near_prints, "COMPARED", 50)
    rows = points(700)
    pairs = searched(rows, tmp_path)
    assert len(pairs) > 20
    assert set(pairs) == each_with_each(rows)
    assert pairs == sorted(pairs, key=lambda pair: pair[::-1])


@pytest.mark.parametrize("count", [0, 1])
def test_one_alone_has_none(count: int, tmp_path) -> None:
    assert searched(points(count), tmp_path) == []


def test_many_plain_ones_do_not_cost_their_square(tmp_path, monkeypatch) -> None:
    compared = []
    alike = Points.alike_prints
    monkeypatch.setattr(Points, "alike_prints", lambda one, other: compared.append(len(one)) or alike(one, other))
    blank = np.zeros((5000, 3), dtype=np.uint8)
    pairs = searched(blank, tmp_path)
    assert sum(compared) <= 2 * NEIGHBOURS * len(blank)
    assert {other for _, other in pairs} == set(range(1, 5000))  # all hang together
    assert max(np.bincount([other for _, other in pairs])) == NEIGHBOURS


def test_what_comes_later_adds_pairs_and_changes_none(tmp_path) -> None:
    rows = np.concatenate([points(300), np.zeros((2 * NEIGHBOURS, 3), dtype=np.uint8), points(300)[::2]])
    before, after = searched(rows[:370], tmp_path), searched(rows, tmp_path)
    assert before == [pair for pair in after if pair[1] < 370]


def test_pairs_are_thinned_while_they_are_collected(tmp_path, monkeypatch) -> None:
    rows = points(500) // 4
    whole = searched(rows, tmp_path)
    monkeypatch.setattr(near_prints, "COLLECTED", 10)
    (tmp_path / "again").mkdir()
    assert searched(rows, tmp_path / "again") == whole
