from __future__ import annotations

import math

import pytest

from aigc_models.errors import Unreadable
from aigc_models.reading.cells import Numbers, is_formula, is_value, no_formula


@pytest.mark.parametrize("cell", ["", "NA", "nan", "inf", "-inf", "null", "-", "#N/A"])
def test_missing_and_infinite_cells_are_nan(cell) -> None:
    assert math.isnan(Numbers().value(cell, 1, "load"))
    assert is_value(cell)


def test_a_decimal_comma_is_taken_where_all_have_it() -> None:
    numbers = Numbers()
    assert [numbers.value(cell, row, "load") for row, cell in enumerate(["1,5", "-2,25", "3"], 1)] == [1.5, -2.25, 3.0]
    assert numbers.commas == 2


def test_mixed_decimal_signs_are_refused_with_both_rows() -> None:
    numbers = Numbers()
    numbers.value("1,5", 3, "load")
    with pytest.raises(Unreadable, match=r"row 9 \('2.5'\) has a point, row 3 \('1,5'\) a comma"):
        numbers.value("2.5", 9, "load")


def test_text_is_refused_with_its_place() -> None:
    assert not is_value("broken")
    with pytest.raises(Unreadable, match="row 7: 'broken' in the column 'load' is not a number"):
        Numbers().value("broken", 7, "load")


@pytest.mark.parametrize(
    "text", ["=1+1", "=cmd|' /C calc'!A0", "@SUM(A1)", " =x", "\t=1", "-2+3+cmd|' /C calc'!A0", "+SUM(1)", "\r=1"]
)
def test_what_a_spreadsheet_would_compute_is_quoted(text: str) -> None:
    assert is_formula(text)
    assert no_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "-5", "+1e3", "a=b", "load", "-rf.txt", "(x)"])
def test_other_cells_stay(text: str) -> None:
    assert no_formula(text) == text
