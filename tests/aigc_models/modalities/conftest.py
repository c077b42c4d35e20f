from __future__ import annotations

from itertools import combinations
from types import ModuleType

import numpy as np
import pytest

from tasks.deduplicate.near_prints import Prints
from tasks.deduplicate.near_prints import near_pairs as search


@pytest.fixture
def near_pairs(tmp_path):
    """The near-duplicates among fingerprints, which must be all that comparing each with each finds (`whole`)."""

    def search_pairs(modality: ModuleType, prints: list[bytes], whole: bool = True) -> set[tuple[int, int]]:
        stored = Prints(tmp_path / "prints")
        stored.add(prints)
        pairs = {(int(one), int(other)) for one, other in search(stored, modality)}
        if whole:
            each = np.array(list(combinations(range(len(prints)), 2)))
            alike = each[modality.alike_prints(stored[each[:, 0]], stored[each[:, 1]])]
            assert pairs == {(int(one), int(other)) for one, other in alike}
        return pairs

    return search_pairs
