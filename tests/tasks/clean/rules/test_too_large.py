"""The rule `too_large`."""

from __future__ import annotations

import numpy as np

from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import too_large

SETTINGS = too_large.Settings(characters=5, pixels=100)


def test_texts_and_pictures_above_the_limit_are_rejected() -> None:
    assert too_large.apply(Item("123456", "a", "text"), SETTINGS) == Rejected("has 6 characters; the limit is 5")
    huge = Item(np.zeros((20, 10, 3), np.uint8), "a", "image")
    assert too_large.apply(huge, SETTINGS) == Rejected("has 200 pixels; the limit is 100")


def test_the_limit_itself_passes() -> None:
    for item in (Item("12345", "a", "text"), Item(np.zeros((10, 10, 3), np.uint8), "a", "image")):
        assert too_large.apply(item, SETTINGS) is item
