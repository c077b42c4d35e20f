"""The rule `too_small`."""

from __future__ import annotations

import numpy as np

from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import too_small


def test_the_shorter_side_counts() -> None:
    assert isinstance(too_small.apply(Item(np.zeros((3, 90, 1)), "a", "image"), too_small.Settings()), Rejected)
    item = Item(np.zeros((4, 90, 1)), "a", "image")
    assert too_small.apply(item, too_small.Settings()) is item
