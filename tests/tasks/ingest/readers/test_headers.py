"""Names of columns in messages, and those that are refused."""

from __future__ import annotations

import pytest

from aigc_models.errors import BadInput
from tasks.ingest.readers.headers import MOST, check, listed, missing


def test_names_are_listed_up_to_a_number_and_shown_so_that_they_do_nothing() -> None:
    assert listed(["a", "", "\x1b[31m", "x" * 50]) == f"a, '', '\\x1b[31m', {'x' * 40}..."
    assert listed([f"c{at}" for at in range(1000)]).endswith("c19 and 980 more")


@pytest.mark.parametrize(
    ("columns", "message"), [(["a"] * (MOST + 1), "has 200,001 columns"), (["a\0b"], "control characters")]
)
def test_what_no_table_has_is_refused(columns: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        check(columns, "t.csv")


@pytest.mark.parametrize(("column", "near"), [("sms", "SMS"), ("labl", "Label"), ("message_text", "message.text")])
def test_the_nearest_column_is_offered(column: str, near: str) -> None:
    problem = missing(["Label", "SMS", "message.text"], column, "content", "t.csv")
    assert f"did you mean {near!r}? it has: Label, SMS, message.text" in str(problem)
    assert "did you mean" not in str(missing(["Label"], "zzz", "content", "t.csv"))
