from __future__ import annotations

import pytest

from aigc_models.reading.zones import offset


@pytest.mark.parametrize(
    ("zone", "hours"), [("CET", 1), ("cest", 2), ("Z", 0), ("+05:30", 5.5), ("-0330", -3.5), ("UTC+2", 2), ("GMT-10:30", -10.5)]
)
def test_zones_as_seconds_from_utc(zone: str, hours: float) -> None:
    assert offset(zone) == hours * 3600
