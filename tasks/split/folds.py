"""Parts of train that members of an ensemble leave out in turn (cross-validation: Stone 1974)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aigc_models.errors import BadInput
from tasks.dataset.tables import columns_of, read

if TYPE_CHECKING:
    from aigc_models.corpus import Corpus

FILE = "folds.npy"  # beside the encoded train split: int16 (item,), -1 where an item is near to items of two folds


def fold_of(group: str, folds: int, seed: str) -> int:
    """The fold that a group's hash draws: always the same for the same group, seed and number of folds.

    >>> {fold_of(str(group), 3, "aigc") for group in range(50)}
    {0, 1, 2}
    """
    digest = hashlib.sha256(f"{seed}\0fold\0{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % folds


def keep(splits: Path, ids: Sequence[str], folder: Path) -> None:
    """Write the folds of the train items `ids` beside their arrays, where `splits.parquet` has any."""
    import numpy as np

    from aigc_models.corpus import save_array

    if "fold" in columns_of(splits):
        rows = read([splits], ["id", "fold"])
        folds = dict(zip(rows["id"], rows["fold"], strict=True))
        save_array(folder / FILE, np.array([-1 if folds[key] is None else folds[key] for key in ids], dtype=np.int16))


def outside(train: Corpus, folder: Path, fold: int, member: str) -> Corpus:
    """The train items that are not in `fold`, nor near to an item that may be; `folder` is that of the encoded split.

    Raises `BadInput` where the data set has no such fold.
    """
    import numpy as np

    folds = np.load(folder / FILE) if (folder / FILE).is_file() else np.empty(0, dtype=np.int16)
    if fold not in folds:
        many = f"has {folds.max() + 1} (from 0 on)" if len(folds) else "has none; set data.split.folds"
        raise BadInput(f"member {member!r} leaves out fold {fold}, and the data set {many}")
    return train.take(np.flatnonzero((folds != fold) & (folds >= 0)))
