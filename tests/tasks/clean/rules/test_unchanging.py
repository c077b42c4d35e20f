"""The rule `unchanging`."""

from __future__ import annotations

import numpy as np

from aigc_models.modalities.series import Series
from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import unchanging


def test_a_constant_series_is_rejected_and_a_constant_channel_left_out() -> None:
    values = np.array([[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]])
    both = Item(Series(values, ("a", "b"), 0.0, "1D"), "x", "series")
    outcome = unchanging.apply(both, unchanging.Settings())
    assert isinstance(outcome, Item)
    assert outcome.content.channels == ("a",)
    assert outcome.content.notes == ("channels left out 1: b, which never change",)
    still = Item(Series(values[1:], ("b",), 0.0, "1D"), "x", "series")
    assert unchanging.apply(still, unchanging.Settings()) == Rejected("is constant: every value of 'b' is 4")
