from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aigc_models.modalities import series
from aigc_models.modalities.series import Series


def parsed(times: list[str], header: str = "date,load") -> Series:
    return series.read("\n".join([header, *(f"{time},{at % 7}" for at, time in enumerate(times))]).encode(), "x.csv")


@pytest.mark.parametrize(("frequency", "step"), [("BME", "1ME"), ("BMS", "1MS"), ("BQE", "3ME")])
def test_the_last_or_first_working_days_of_months_are_months(frequency: str, step: str) -> None:
    dates = pd.date_range("2014-01-01", periods=60, freq=frequency)
    content = parsed([f"{date:%Y-%m-%d}" for date in dates])
    assert (content.step, content.steps) == (step, 60)
    assert content.values[0].tolist() == [at % 7 for at in range(60)]
    assert [stamp[:7] for stamp in content.stamps()] == [f"{date:%Y-%m}" for date in dates]
    assert "to the nearest step, by 2" in content.notes[0]
    assert "days at most" in content.notes[0]


def test_months_of_four_or_five_whole_weeks_keep_their_values() -> None:
    weeks = np.cumsum([0, *([4, 4, 5] * 12)])
    content = parsed([str(np.datetime64("2020-02-01") + 7 * int(week)) for week in weeks])
    assert (content.step, content.steps, series.choose_format([content]).season) == ("1MS", 37, 12)
    assert content.values[0].tolist() == [at % 7 for at in range(37)]
    assert "interpolated" not in "".join(content.notes)


@pytest.mark.parametrize("first", ["2020-01-05", "2020-01-06"])
def test_weeks_begin_on_any_day(first: str) -> None:
    content = parsed([str(np.datetime64(first) + 7 * at) for at in range(60)])
    assert (content.step, content.steps, content.stamps()[0], content.notes) == ("7D", 60, first, ())


def test_days_of_a_spreadsheet_leave_out_weekends() -> None:
    days = [str((date - pd.Timestamp("1899-12-30")).days) for date in pd.bdate_range("2023-01-02", periods=100)]
    content = parsed(days)
    assert (content.step, content.steps, content.stamps()[0]) == ("1B", 100, "2023-01-02")
    assert parsed(days, "id,load").step == "1"


def test_a_leap_second_does_not_stand_against_the_minute_that_follows() -> None:
    times = [f"2016-12-31T23:59:{second:02}Z" for second in range(61)] + [
        f"2017-01-01T00:00:{second:02}Z" for second in range(9)
    ]
    content = parsed(times)
    assert (content.step, content.steps) == ("1s", 69)


def test_uneven_times_are_told_in_units_for_people() -> None:
    at = np.cumsum(np.tile([1, 3, 2, 6], 30))
    content = parsed([str(np.datetime64("2020-01-01T00") + int(hour)) for hour in at])
    assert any("times were 1 hour to 6 hours apart, now" in note for note in content.notes)
