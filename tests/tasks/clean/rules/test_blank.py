"""The rule `blank`."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import blank

NOISE = np.random.default_rng(0).normal(size=(300, 200, 3))


def page(noise: float, marked: int = 0) -> np.ndarray:
    """A grey page with noise and a dark square of so many pixels a side."""
    content = (200 + noise * NOISE).clip(0, 255).astype(np.uint8)
    content[:marked, :marked] = 0
    return content


@pytest.mark.parametrize(
    ("content", "passes"),
    [
        (page(0.8), False),
        (page(4.0), True),
        (page(0.8, marked=20), True),
        (page(0.8)[:4, :4], False),
        (page(0.8, marked=1)[:8, :8], True),
        (np.asarray(Image.linear_gradient("L"))[:, :, None], True),
        (np.full((50, 50, 1), 7, np.uint8), False),
        (np.stack([page(0)[:, :, 0], page(0)[:, :, 0], page(40.0)[:, :, 0]], axis=2), True),
    ],
)
def test_nearly_one_colour_is_rejected(content: np.ndarray, passes: bool) -> None:
    item = Item(content, "a", "image")
    outcome = blank.apply(item, blank.Settings())
    assert outcome is item if passes else isinstance(outcome, Rejected)


def test_the_deviation_can_be_set() -> None:
    item = Item(page(4.0), "a", "image")
    assert blank.apply(item, blank.Settings(deviation=10)) == Rejected(
        "is nearly one colour: its levels deviate by 4.1 of 255; at least 10 are asked for"
    )


def test_the_deviation_against_numpy() -> None:
    for size in ((64, 64, 3), (1, 7, 1), (30, 40, 3)):
        content = np.random.default_rng(1).integers(0, 256, size).astype(np.uint8)
        assert blank.spread(content) == pytest.approx(content.std(axis=(0, 1)).max(), rel=1e-3)
