"""Parts of train that members of an ensemble leave out in turn (k-fold: Stone 1974)."""

from __future__ import annotations

import hashlib


def fold_of(group: str, folds: int, seed: str) -> int:
    """The fold that a group's hash draws: always the same for the same group, seed and number of folds.

    >>> {fold_of(str(group), 3, "aigc") for group in range(50)}
    {0, 1, 2}
    """
    digest = hashlib.sha256(f"{seed}\0fold\0{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % folds
