"""The embedded docstrings."""

from __future__ import annotations

from collections import Counter

import pytest

from tasks.ingest.embedded import docstrings


def test_docstrings_become_prose() -> None:
    assert docstrings._prose("Give :class:`~a.Node` its\n  ``name`` [1]_.\n\nParameters") == "Give a.Node its name."
    assert docstrings._prose(">>> run()\n") is None
    assert docstrings._prose("too short.") is None


@pytest.mark.slow
def test_docstrings_are_balanced_and_the_same_each_time() -> None:
    items = list(docstrings.items())
    size = Counter[str]()
    for item in items:
        size[str(item.label)] += len(item.payload)
    assert set(size) == set(docstrings.LIBRARIES)
    assert 400_000 < sum(size.values()) < 600_000
    assert max(size.values()) < 2 * min(size.values())
    assert items == list(docstrings.items())
