from __future__ import annotations

import pytest

from aigc_models.reading.time_columns import doubtful, is_serial, of_serial, time_column

VALUES = ["3", "1", "2"]


def test_the_time_is_found() -> None:
    assert time_column({"x": ["1", "2"], "when": ["2020-01-01", "2020-01-02"]}) == "when"
    assert time_column({"x": ["5", "4"], "t": ["1", "2"]}) == "t"
    assert time_column({"x": ["1", "2"], "y": ["3", "4"]}) is None
    assert time_column({"note": ["2020-01-01", "seen", "heard"]}) is None


@pytest.mark.parametrize(
    "cells",
    [
        ["1672531200000", "1672534800000", "1672538400000"],  # thousandths of a second since 1970
        ["1672531200", "1672534800", "1672538400"],
        ["1850", "1851", "1852"],
        ["2023-01-01 00:00 CET", "2023-01-01 01:00 CET", "2023-01-01 02:00 CET"],
    ],
)
def test_times_that_no_name_tells(cells: list[str]) -> None:
    assert time_column({"column": cells, "sales": VALUES}) == "column"


@pytest.mark.parametrize(
    "cells", [["1850", "1853", "1854"], ["5", "6", "7"], ["1852", "1851", "1850"], ["12345", "12346", "12347"]]
)
def test_other_numbers_are_no_times(cells: list[str]) -> None:
    assert time_column({"column": cells, "sales": VALUES}) is None


def test_days_of_a_spreadsheet_are_told_by_the_name_of_their_column() -> None:
    assert is_serial("Date", ["44927", "44928.5"])
    assert not is_serial("id", ["44927", "44928"])
    assert not is_serial("date", ["20230101", "20230102"])
    assert [of_serial(cell) for cell in ("44927", "44928.25", "")] == ["2023-01-01T00:00:00", "2023-01-02T06:00:00", ""]


@pytest.mark.parametrize(
    ("form", "doubt"), [("2023/24-P{:02}", True), ("{:02}h, 1.3.23", True), ("word{:02}", False), ("5{}", False)]
)
def test_cells_that_look_like_times(form: str, doubt: bool) -> None:
    assert doubtful([form.format(at) for at in range(20)]) is doubt
