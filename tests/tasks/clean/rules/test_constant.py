"""The rule `constant`."""

from __future__ import annotations

import numpy as np
import pytest

from aigc_models.modalities.audio import Sound
from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import constant

COLOUR = np.full((8, 8, 3), [9, 8, 7], np.uint8)
DOTTED = COLOUR.copy()
DOTTED[3, 3, 0] = 10


@pytest.mark.parametrize(
    ("content", "modality", "passes"),
    [
        ("-- -- --", "text", False),
        ("ha", "text", True),
        ("aaab", "text", True),
        (COLOUR, "image", False),
        (DOTTED, "image", True),
        (Sound(np.full((1, 9), 0.5, np.float32), 8000), "audio", False),
        (Sound(np.array([[0, 0, 1]], np.float32), 8000), "audio", True),
    ],
)
def test_one_character_or_one_colour_is_rejected(content: object, modality: str, passes: bool) -> None:
    assert isinstance(constant.apply(Item(content, "a", modality), constant.Settings()), Rejected) is not passes
