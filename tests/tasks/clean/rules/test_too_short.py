"""The rule `too_short`."""

from __future__ import annotations

import numpy as np

from aigc_models.modalities.audio import Sound
from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import too_short


def test_white_space_around_does_not_count() -> None:
    settings = too_short.Settings(characters=3)
    item = Item(" abc ", "a", "text")
    assert too_short.apply(item, settings) is item
    assert too_short.apply(Item(" ab ", "a", "text"), settings) == Rejected("has 2 characters; at least 3 are asked for")


def test_of_sounds_the_duration_counts() -> None:
    settings = too_short.Settings(seconds=0.1)
    item = Item(Sound(np.zeros((1, 800), np.float32), 8000), "a", "audio")
    assert too_short.apply(item, settings) is item
    short = Item(Sound(np.zeros((1, 400), np.float32), 8000), "a", "audio")
    assert too_short.apply(short, settings) == Rejected("lasts 50.0 ms (400 samples); at least 100 ms are asked for")
