"""MinHash: which sets of pieces are found, and how like each other they are."""

from __future__ import annotations

import numpy as np
import pytest

from aigc_models.fingerprints.minhash import BANDS, SIMILAR, alike, bands, similarity, sketch


def shared(one: set[int], other: set[int]) -> int:
    """Bands that two sets share."""
    rows = bands([sketch([str(piece).encode() for piece in pieces]) for pieces in (one, other)])
    return int((rows[0] == rows[1]).sum())


def test_neither_order_nor_repetition_changes_a_sketch():
    pieces = [str(at).encode() for at in range(50)]
    assert sketch(pieces) == sketch(pieces[::-1]) == sketch(pieces * 2)
    assert bands([sketch(pieces)] * 3).shape == (3, BANDS)


def test_near_sets_share_two_bands_and_others_none():
    for at in range(0, 20_000, 1000):
        one = set(range(at, at + 100))
        assert shared(one, set(range(at + 10, at + 110))) >= 2  # Jaccard similarity 0.82
        assert shared(one, set(range(at + 500, at + 600))) == 0


@pytest.mark.parametrize(("moved", "jaccard"), [(0, 1.0), (10, 90 / 110), (50, 50 / 150), (100, 0.0)])
def test_similarity_is_that_of_jaccard(moved, jaccard):
    one, other = np.arange(100), np.arange(100) + moved
    assert similarity(one, other) == pytest.approx(jaccard)
    assert alike(one, other) == (jaccard >= SIMILAR)


def test_the_part_of_a_set_is_near_from_the_limit_on():
    whole = np.arange(100)
    assert alike(whole[:80], whole)
    assert not alike(whole[:79], whole)
    assert not alike(whole[:0], whole)
    assert not alike(whole[:0], whole[:0])
