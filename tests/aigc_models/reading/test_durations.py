from __future__ import annotations

import pytest

from aigc_models.reading.durations import plain, spoken


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (7200.0, "2 hours"),
        (2_674_800.0, "31 days"),
        (3600.0, "1 hour"),
        (0.0009999, "1 millisecond"),
        (90.0, "1.5 minutes"),
        (1e9, "11574 days"),
    ],
)
def test_lengths_in_units_for_people(seconds: float, text: str) -> None:
    assert spoken(seconds) == text


def test_numbers_without_an_exponent() -> None:
    assert [plain(value) for value in (7.2e6, 0.5, 1e-5, 0.0)] == ["7200000", "0.5", "0.00001", "0"]
