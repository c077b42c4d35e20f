"""The embedded digits."""

from __future__ import annotations

from aigc_models.modalities import image
from tasks.ingest.embedded import digits


def test_digits_are_small_labelled_pictures() -> None:
    items = list(digits.items())
    assert len(items) == 1797
    assert {item.label for item in items} == set("0123456789")
    assert image.read(items[0].payload, items[0].name).shape == (8, 8, 1)
    assert max(int(image.read(item.payload, "").max()) for item in items[:20]) == 255
