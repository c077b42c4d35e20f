"""The rule `silence`."""

from __future__ import annotations

import numpy as np
import pytest

from aigc_models.modalities.audio import Sound
from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import silence

TONE = np.sin(np.arange(8000))[None].astype(np.float32)
CLICK = np.zeros((1, 80_000), np.float32)
CLICK[0, -300:] = TONE[0, :300]


@pytest.mark.parametrize(
    ("values", "passes"),
    [(TONE, True), (TONE * 0.01, True), (TONE * 0.001, False), (TONE * 0.001 + 0.5, False), (CLICK, True), (TONE[:, :9], True)],
)
def test_what_cannot_be_heard_is_rejected(values: np.ndarray, passes: bool) -> None:
    item = Item(Sound(values, 8000), "a", "audio")
    assert isinstance(silence.apply(item, silence.Settings()), Rejected) is not passes


def test_the_level_can_be_set() -> None:
    item = Item(Sound(TONE * 0.01, 8000), "a", "audio")
    assert silence.apply(item, silence.Settings(level=-20)) == Rejected(
        "is silent: its loudest 50 ms have -43 dB, at least -20 dB are asked for"
    )
