"""Times with an offset, against the calendar that pandas makes of the same place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aigc_models.modalities import series
from aigc_models.modalities.series import Series

PLACES = ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "Australia/Lord_Howe"]


def parsed(times: list[str]) -> Series:
    rows = [f"{time},{at % 7 + at / 100}" for at, time in enumerate(times)]
    return series.read("\n".join(["when,sales", *rows]).encode(), "x.csv")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("frequency", "count", "step", "season"),
    [
        ("MS", 120, "1MS", 12),
        ("ME", 120, "1ME", 12),
        ("QS", 100, "3MS", 4),
        ("B", 400, "1B", 5),
        ("D", 500, "1D", 7),
        ("W-SUN", 500, "7D", 52),
    ],
)
def test_days_and_months_are_those_of_the_place(place: str, frequency: str, count: int, step: str, season: int) -> None:
    dates = pd.date_range("2014-01-01", periods=count, freq=frequency, tz=place)
    content = parsed([date.isoformat() for date in dates])
    assert (content.step, content.steps, series.choose_format([content]).season) == (step, count, season)
    assert content.stamps() == [f"{date:%Y-%m-%d}" for date in dates]
    np.testing.assert_allclose(content.values[0], [at % 7 + at / 100 for at in range(count)])
    assert f"times local {count}: days and months are those of the place" in content.notes[0]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("frequency", ["15min", "1h", "6h"])
def test_shorter_steps_go_on_through_a_clock_change(place: str, frequency: str) -> None:
    dates = pd.date_range("2014-01-01", "2015-01-01", freq=frequency, tz=place)
    content = parsed([date.isoformat() for date in dates])
    assert (content.step, content.steps, content.notes) == (frequency, len(dates), ())
    np.testing.assert_array_equal(content.times(), dates.tz_convert("UTC").as_unit("s").asi8)


def test_a_day_in_utc_that_is_written_with_the_offset_of_a_place_stays_one() -> None:
    dates = pd.date_range("2014-01-01T12:00Z", periods=300, freq="D").tz_convert("Europe/Berlin")
    content = parsed([date.isoformat() for date in dates])
    assert (content.step, content.notes, content.stamps()[-1]) == ("1D", (), "2014-10-27T12:00:00")
