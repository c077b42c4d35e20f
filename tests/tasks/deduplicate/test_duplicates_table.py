from __future__ import annotations

import numpy as np
import pytest

from tasks.deduplicate.duplicates_table import Groups, Named, cluster_heads


@pytest.mark.parametrize(("pairs", "heads"), [([], [0, 1, 2, 3]), ([(1, 3)], [0, 1, 2, 1]), ([(2, 3), (0, 3)], [0, 1, 0, 0])])
def test_cluster_heads(pairs: list[tuple[int, int]], heads: list[int]) -> None:
    assert cluster_heads(4, np.array(pairs, dtype=np.int64).reshape(-1, 2)).tolist() == heads


def test_those_that_hang_together_have_the_first_as_their_head() -> None:
    groups = Groups.of(np.array([[4, 9], [9, 11], [5, 6]]))
    assert groups.head(np.arange(3, 13)) == [3, 4, 5, 5, 7, 8, 4, 10, 4, 12]
    assert Groups.of(np.empty((0, 2), dtype=np.int64)).head(np.arange(2)) == [0, 1]


def test_named_items_are_read_from_all_shards(handmade, sentences) -> None:
    data = handmade()
    ids = data.add(sentences(4), [{"label": name} for name in "abcd"]) + data.add(sentences(2, start=9))
    named = Named.of(data.clean, np.array([1, 2, 5]))
    assert [named.id(number) for number in (1, 2, 5)] == [ids[1], ids[2], ids[5]]
    assert [named.label(number) for number in (1, 2, 5)] == ["b", "c", None]
