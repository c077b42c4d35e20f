from __future__ import annotations

import pytest

from tasks.split.embargo import length
from tasks.split.settings import SplitSettings


def test_a_length_of_time() -> None:
    assert [length(text, dated=True) for text in ("", "36h", "7 days", "0")] == [0, 36 * 3600, 7 * 86400, 0]
    assert [length(text, dated=False) for text in ("", "3", "0.5")] == [0, 3, 0.5]


@pytest.mark.parametrize("text", ["soon", "-3 days", "-1", "inf", "nan", "NaT"])
def test_what_is_none_is_refused_with_the_settings(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither a duration|no length of time"):
        SplitSettings(embargo=text)
