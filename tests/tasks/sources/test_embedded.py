"""What comes with the installed libraries."""

from __future__ import annotations

from collections import Counter

import pytest

from aigc_models.modalities import image
from tasks.source import SourceSettings
from tasks.sources import embedded


def test_digits_are_small_labelled_pictures() -> None:
    settings = SourceSettings(name="digits", location="embedded:digits")
    items = list(embedded.read(settings, embedded.modality(settings)))
    assert len(items) == 1797
    assert {item.label for item in items} == set("0123456789")
    assert image.read(items[0].payload, items[0].name).shape == (8, 8, 1)
    assert max(int(image.read(item.payload, "").max()) for item in items[:20]) == 255


def test_docstrings_become_prose() -> None:
    assert embedded._prose("Give :class:`~a.Node` its\n  ``name`` [1]_.\n\nParameters") == "Give a.Node its name."
    assert embedded._prose(">>> run()\n") is None
    assert embedded._prose("too short.") is None


@pytest.mark.slow
def test_docstrings_are_balanced_and_the_same_each_time() -> None:
    items = list(embedded._docstrings())
    size = Counter[str]()
    for item in items:
        size[str(item.label)] += len(item.payload)
    assert set(size) == set(embedded.LIBRARIES)
    assert 400_000 < sum(size.values()) < 600_000
    assert max(size.values()) < 2 * min(size.values())
    assert items == list(embedded._docstrings())


def test_fingerprints_tell_the_contents_apart() -> None:
    names = ("embedded:digits", "embedded:docstrings")
    assert len({embedded.fingerprint(SourceSettings(name="a", location=name)) for name in names}) == 2
