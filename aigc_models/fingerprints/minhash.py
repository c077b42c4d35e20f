"""MinHash (Broder 1997) of sets of pieces, and which pairs are near-duplicates: what modalities of sequences share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SIMILAR = 0.8  # Jaccard similarity from which on two items are near-duplicates
BANDS, ROWS = 24, 5  # a pair at 0.8 shares fewer than two bands once in 1,100
_WEIGHTS = np.array([1, 257, 257**2, 257**3, 257**4], dtype=np.uint64)
_MIX = np.uint64(0x9E3779B97F4A7C15)


def sketch(pieces: Sequence[bytes]) -> bytes:
    """The bands of a set of pieces, little-endian uint32."""
    from rensa import RMinHash

    hasher = RMinHash(num_perm=BANDS * ROWS, seed=1)
    hasher.update(pieces)
    rows = np.array(hasher.digest(), dtype=np.uint64).reshape(BANDS, ROWS)
    return ((rows @ _WEIGHTS * _MIX) >> np.uint64(32)).astype("<u4").tobytes()


def bands(near: Sequence[bytes]) -> np.ndarray:
    """uint32 (item, band): near-duplicates share two or more."""
    return np.frombuffer(b"".join(near), dtype="<u4").reshape(len(near), BANDS)


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """Jaccard similarity of two sets, each an array of different numbers."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / max(1, len(one) + len(other) - both)


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two items, by the numbers of their pieces, are near-duplicates."""
    shorter, longer = sorted((len(one), len(other)))
    return shorter >= SIMILAR * longer and similarity(one, other) >= SIMILAR
