"""The rule `offset`."""

from __future__ import annotations

import numpy as np

from aigc_models.modalities.audio import Sound
from tasks.clean.clean import Item
from tasks.clean.rules import offset

TONE = (0.3 * np.sin(np.arange(8000)))[None].astype(np.float32)


def item_of(values: np.ndarray) -> Item:
    return Item(Sound(values.astype(np.float32), 8000), "a", "audio", "label")


def test_an_offset_is_taken_away_and_nothing_else() -> None:
    cleaned = offset.apply(item_of(TONE + 0.4), offset.Settings())
    assert isinstance(cleaned, Item)
    assert cleaned.label == "label"
    assert np.abs(cleaned.content.values - TONE).max() < 1e-3
    both = offset.apply(item_of(np.concatenate([TONE, TONE - 0.2])), offset.Settings())
    assert isinstance(both, Item)
    assert (both.content.values[0] == TONE[0]).all()
    assert abs(float(both.content.values[1].mean())) < 1e-3


def test_sounds_without_one_stay_what_they_are() -> None:
    for values in (TONE, TONE + 0.005, TONE[:, :1] * 0):
        item = item_of(values)
        assert offset.apply(item, offset.Settings()) is item
