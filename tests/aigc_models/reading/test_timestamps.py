from __future__ import annotations

import numpy as np
import pytest

from aigc_models.errors import Unreadable
from aigc_models.reading import timestamps
from aigc_models.reading.steps import stamps
from aigc_models.reading.timestamps import moments

LATE = "2016-07-04T13:05:00"


def read(*texts: str) -> list[str]:
    return stamps(*moments(texts))


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2016-07-04", "2016-07-04"),
        ("2016/7/4", "2016-07-04"),
        ("20160704", "2016-07-04"),
        ("2016-07-04 13:05", LATE),
        ("2016-07-04T13:05:00Z", LATE),
        ("2016-07-04T15:05:00+02:00", LATE),
        ("2016-07-04 09:35:00 -0330", LATE),
        ("04-Jul-2016", "2016-07-04"),
        ("4 July 2016", "2016-07-04"),
        ("July 4, 2016 1:05 PM", LATE),
        ("2016-07", "2016-07-01"),
        ("07/2016", "2016-07-01"),
        ("Jul 2016", "2016-07-01"),
        ("2016Q3", "2016-07-01"),
        ("Q3 2016", "2016-07-01"),
        ("2016-07-03 24:00", "2016-07-04"),
    ],
)
def test_one_way_of_writing_a_date(text, stamp) -> None:
    assert read(text) == [stamp]


def test_plain_numbers_stay_what_they_are_and_seconds_since_1970_become_dates() -> None:
    assert moments(["0", "5", "10"])[1] is False
    assert read("1467637500", "1467641100") == [LATE, "2016-07-04T14:05:00"]
    assert read("1467637500000", "1467641100000")[0] == LATE
    assert read("201601", "201602") == ["2016-01-01", "2016-02-01"]


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["31/12/2019", "01/01/2020"], "2019-12-31"),  # what all rows allow
        (["12/31/2019", "01/01/2020"], "2019-12-31"),
        (["01/02/2020", "02/02/2020", "01/03/2020"], "2020-02-01"),  # what runs in order
    ],
)
def test_day_or_month_first_by_what_fits(texts, first) -> None:
    assert read(*texts)[0] == first


def test_months_of_several_years_are_told_from_days_by_their_evenness() -> None:
    texts = [f"01/{month:02}/{year}" for year in (2019, 2020) for month in range(1, 13)]
    assert read(*texts)[1] == "2019-02-01"


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (["2020-01-01", "02/01/2020"], r"mixed date formats: row 1 \('2020-01-01'\) and row 2 \('02/01/2020'\)"),
        (["2020-01-01", "2020/01/02"], "mixed date formats"),
        (["13/01/2020", "01/14/2020"], r"row 1 \('13/01/2020'\) has the day first, row 2"),
        (["2020-01-01T00:00Z", "2020-01-01T01:00"], "one with an offset and one without"),
        (["2020-01-01", "5"], r"mixed date formats: .*row 2 \('5'\)"),
        (["2020-02-30"], "no day of the calendar"),
        (["2020-01-01 25:00"], "no time of day"),
        (["2020-W54"], "no week of the calendar"),
        (["2020-01-01", ""], "row 2 has no time"),
        (["soon"], "neither a date nor a number"),
        (["1", "inf"], "is no time"),
        (["01/02/2020", "01/03/2020", "01/04/2020"], "day first and month first"),  # in order and even in both
    ],
)
def test_what_is_refused_names_the_row(texts, reason) -> None:
    with pytest.raises(Unreadable, match=reason):
        moments(texts)


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2016-07-04 15:05 CEST", LATE),
        ("2016-07-04 09:05 EDT", LATE),
        ("2016-07-04 18:35:00 IST", LATE),
        ("2016-07-04 15:05 UTC+2", LATE),
        ("2016-07-04T15:05:00+02:00[Europe/Berlin]", LATE),
        ("2016-07-04 13:05 Europe/Berlin", LATE),  # the clock of the place as it stands
        ("Mon, 4 Jul 2016 13:05:00 GMT", LATE),
        ("2016-07-04T13", "2016-07-04T13:00:00"),
        ("2016M07", "2016-07-01"),
        ("FY2016 Q3", "2016-07-01"),
        ("2016-W27", "2016-07-04"),
        ("2016-W27-3", "2016-07-06"),
        ("2020W53", "2020-12-28"),
    ],
)
def test_zones_by_name_and_further_calendars(text: str, stamp: str) -> None:
    assert read(text) == [stamp]


def test_what_the_clock_of_the_place_showed_is_kept() -> None:
    parsed = timestamps.read(["2016-07-04T00:00:00+02:00", "2016-12-04T00:00:00+01:00"])
    assert (parsed.local - parsed.times).tolist() == [7200.0, 3600.0]
    assert stamps(parsed.local, True) == ["2016-07-04", "2016-12-04"]


def test_parts_of_seconds_and_a_leap_second() -> None:
    assert np.isclose(moments(["2020-01-01T00:00:00.5"])[0][0] % 1, 0.5)
    last, leap, first = moments(["2016-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"])[0]
    assert last < leap < first
