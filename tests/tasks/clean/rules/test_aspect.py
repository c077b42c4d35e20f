"""The rule `aspect`."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import aspect


@pytest.mark.parametrize(("height", "width", "passes"), [(10, 100, True), (100, 10, True), (1, 1, True), (1, 11, False)])
def test_long_strips_are_rejected(height: int, width: int, passes: bool) -> None:
    item = Item(np.zeros((height, width, 1), np.uint8), "a", "image")
    outcome = aspect.apply(item, aspect.Settings())
    assert outcome is item if passes else isinstance(outcome, Rejected)


def test_the_ratio_can_be_set() -> None:
    item = Item(np.zeros((100, 40, 3), np.uint8), "a", "image")
    assert aspect.apply(item, aspect.Settings(ratio=2)) == Rejected("is 40 x 100 pixels, 2.5 to 1; the limit is 2 to 1")
