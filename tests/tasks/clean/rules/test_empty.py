"""The rule `empty`."""

from __future__ import annotations

import pytest

from tasks.clean.clean import Item, Rejected
from tasks.clean.rules import empty


@pytest.mark.parametrize(("content", "passes"), [("a", True), (" \n\t", False), ("\ufeff", False), ("", False)])
def test_white_space_alone_is_rejected(content: str, passes: bool) -> None:
    assert isinstance(empty.apply(Item(content, "a", "text"), empty.Settings()), Rejected) is not passes
