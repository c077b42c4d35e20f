"""Names of columns in messages, and those that are refused."""

from __future__ import annotations

import pytest

from aigc_models.errors import BadInput
from tasks.ingest.readers.headers import MOST, check, listed


def test_names_are_listed_up_to_a_number_and_shown_so_that_they_do_nothing() -> None:
    assert listed(["a", "", "\x1b[31m", "x" * 50]) == f"a, '', '\\x1b[31m', {'x' * 40}..."
    assert listed([f"c{at}" for at in range(1000)]).endswith("c19 and 980 more")


@pytest.mark.parametrize(
    ("columns", "message"), [(["a"] * (MOST + 1), "has 200,001 columns"), (["a\0b"], "control characters")]
)
def test_what_no_table_has_is_refused(columns: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        check(columns, "t.csv")
