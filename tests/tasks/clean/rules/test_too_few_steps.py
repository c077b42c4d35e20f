"""The rule `too_few_steps`."""

from __future__ import annotations

import numpy as np

from aigc_models.modalities.series import Series
from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import too_few_steps


def test_steps_are_counted() -> None:
    settings = too_few_steps.Settings(steps=5)
    enough = Item(Series(np.zeros((1, 5)), ("a",), 0.0, "1D"), "x", "series")
    assert too_few_steps.apply(enough, settings) is enough
    short = Item(Series(np.zeros((1, 4)), ("a",), 0.0, "1D"), "x", "series")
    assert too_few_steps.apply(short, settings) == Rejected("has 4 points; at least 5 are asked for")
