"""The rule `gaps`."""

from __future__ import annotations

import numpy as np

from aigc_models.modalities.series import Series
from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import gaps


def item(*rows: list[float]) -> Item:
    return Item(Series(np.array(rows, dtype=float), tuple("abc"[: len(rows)]), 0.0, "1D"), "x", "series")


def test_short_gaps_are_filled_and_long_ones_cut() -> None:
    start, nan = [1.0, 2.0, 3.0, 4.0], float("nan")
    outcome = gaps.apply(item([*start, nan, 6.0, *[nan] * 3, 7.0]), gaps.Settings(steps=2))
    assert isinstance(outcome, Item)
    assert outcome.content.values.tolist() == [[1, 2, 3, 4, 5, 6]]
    assert [note.split(":")[0] for note in outcome.content.notes] == ["values filled 1", "steps cut off 4"]


def test_a_channel_without_values_is_left_out_and_counts_as_no_gap() -> None:
    outcome = gaps.apply(item([1.0, 2.0, 3.0], [float("nan")] * 3), gaps.Settings())
    assert isinstance(outcome, Item)
    assert outcome.content.channels == ("a",)
    assert outcome.content.notes == ("channels left out 1: b, without any value",)


def test_what_is_mostly_missing_is_rejected() -> None:
    outcome = gaps.apply(item([1.0, *[float("nan")] * 3, 2.0]), gaps.Settings())
    assert outcome == Rejected("60% of its values are missing at a step of 1D; at most 50% may be")
