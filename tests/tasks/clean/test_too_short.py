"""The rule `too_short`."""

from __future__ import annotations

from tasks.clean import too_short
from tasks.cleaning import Item, Rejected


def test_white_space_around_does_not_count() -> None:
    settings = too_short.Settings(characters=3)
    item = Item(" abc ", "a", "text")
    assert too_short.apply(item, settings) is item
    assert too_short.apply(Item(" ab ", "a", "text"), settings) == Rejected("has 2 characters; at least 3 are asked for")
