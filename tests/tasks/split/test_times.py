from __future__ import annotations

import pytest

from aigc_models.errors import BadInput
from tasks.split import times as file
from tasks.split.rows import Row
from tasks.split.times import times


def rows(*moments: str | None) -> list[Row]:
    return [Row(str(at), f"row {at}", None, None, None, moment, "", (), None, None) for at, moment in enumerate(moments)]


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_dates_in_many_forms_and_numbers(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(file, "AT_ONCE", at_once)
    values, dated = times(rows("1970-01-02", "1970-01-01T00:00:01+00:00", "2.5", "1970-01-01 01:00:00+01:00", "Jan 3, 1970"))
    assert values.tolist() == [86400.0, 1.0, 2.5, 0.0, 172800.0]
    assert dated
    assert not times(rows("3", "-1e3"))[1]


@pytest.mark.parametrize("moment", ["soon", "", None, "nan", "inf"])
def test_what_is_no_time_is_named(moment: str | None) -> None:
    with pytest.raises(BadInput, match=r"row 1: time .* is neither a number nor a date"):
        times(rows("1", moment))


def test_no_items_have_no_times() -> None:
    values, dated = times([])
    assert (len(values), dated) == (0, False)
