"""The rule `loudness`."""

from __future__ import annotations

import numpy as np
import pytest

from aigc_models.modalities.audio import Sound
from tasks.clean.clean import CleanSettings, Item
from tasks.clean.rules import loudness

TONE = np.sin(np.arange(8000) / 5)[None].astype(np.float32)


def item_of(values: np.ndarray) -> Item:
    return Item(Sound(values, 8000), "a", "audio")


def level(item: object) -> float:
    assert isinstance(item, Item)
    return float(20 * np.log10(np.sqrt((item.content.values.astype(float) ** 2).mean())))


@pytest.mark.parametrize("factor", [0.01, 0.3, 0.99])
def test_sounds_come_to_one_level(factor: float) -> None:
    outcome = loudness.apply(item_of(np.concatenate([TONE * factor, TONE * factor])), loudness.Settings())
    assert level(outcome) == pytest.approx(-20, abs=0.05)


def test_peaks_are_not_cut_off() -> None:
    values = TONE * 0.01
    values[0, 4000] = 0.5
    outcome = loudness.apply(item_of(values), loudness.Settings(level=0))
    assert isinstance(outcome, Item)
    assert np.abs(outcome.content.values).max() == pytest.approx(0.99, abs=1e-6)


def test_sounds_at_the_level_and_silence_stay_what_they_are() -> None:
    for values in (TONE * 0.1 * np.float32(np.sqrt(2)), TONE * 0):
        item = item_of(values)
        assert loudness.apply(item, loudness.Settings()) is item


def test_it_comes_after_the_offset_and_only_where_it_is_named() -> None:
    assert "loudness" not in CleanSettings().chosen("audio")
    assert list(CleanSettings(rules={"loudness": {}}).chosen("audio"))[-1] == "loudness"
