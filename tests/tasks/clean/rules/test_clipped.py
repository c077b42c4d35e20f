"""The rule `clipped`."""

from __future__ import annotations

import numpy as np
import pytest

from aigc_models.modalities.audio import Sound
from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import clipped

TONE = np.sin(2 * np.pi * 101 * np.arange(8000) / 8000)[None]


@pytest.mark.parametrize(
    ("values", "passes"),
    [
        (np.clip(TONE * 3, -1, 1), False),
        (np.clip(TONE * 3, -1, 1) * 0.999, False),
        (np.clip(TONE * 1.001, -1, 1), True),
        (np.rint(TONE * 32767) / 32768, True),
        (TONE * 3, True),
        (np.clip(TONE, -0.5, 0.5), True),
        (TONE[:, :2], True),
    ],
)
def test_flat_tops_at_full_scale_are_rejected(values: np.ndarray, passes: bool) -> None:
    item = Item(Sound(values.astype(np.float32), 8000), "a", "audio")
    assert isinstance(clipped.apply(item, clipped.Settings()), Rejected) is not passes
