from __future__ import annotations

import pytest

from tasks.ingest.readers.first_row import is_data

TEXTS = [f"a text of several words that number {at} has" for at in range(30)]
LABELS = ["good" if at % 3 else "bad" for at in range(30)]
NUMBERS = [f"{at * 1.37:.2f}" for at in range(30)]
DATES = [f"2020-01-{at + 1:02}" for at in range(30)]


@pytest.mark.parametrize(
    ("first", "columns"),
    [
        (["bad", "one more text of the same kind as these"], [LABELS, TEXTS]),
        (["0.78", "1.61"], [NUMBERS, NUMBERS]),
        (["2019-12-31", "1.61"], [DATES, NUMBERS]),
        (["7", "one more text of the same kind as these"], [NUMBERS, TEXTS]),
        (["one more text of the same kind as these"], [TEXTS]),
        (["0.78", "bad"], [NUMBERS, LABELS]),
    ],
)
def test_a_first_row_like_the_others(first: list[str], columns: list[list[str]]) -> None:
    assert is_data(first, list(zip(*columns, strict=True)))


@pytest.mark.parametrize(
    ("first", "columns"),
    [
        (["label", "text"], [LABELS, TEXTS]),
        (["a", "b"], [NUMBERS, NUMBERS]),
        (["date", "5"], [DATES, NUMBERS]),
        (["0", "1", "2"], [NUMBERS, NUMBERS, NUMBERS]),  # columns that were counted
        (["country", "1990", "1991"], [TEXTS, NUMBERS, NUMBERS]),
        (["2000", "2005", "2010"], [NUMBERS, NUMBERS, NUMBERS]),
        (["", "0.5"], [NUMBERS, NUMBERS]),
        (["name", "town"], [[f"n{at}" for at in range(30)], [f"t{at}" for at in range(30)]]),
        (["How did you like it, and what would you change?"], [LABELS]),
        ([], []),
        (["0.5"], []),
    ],
)
def test_a_first_row_of_names(first: list[str], columns: list[list[str]]) -> None:
    assert not is_data(first, list(zip(*columns, strict=True)))
