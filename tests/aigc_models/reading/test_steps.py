from __future__ import annotations

import numpy as np
import pytest

from aigc_models.reading.steps import Step, stamps


def day(text: str) -> float:
    return float(np.datetime64(text, "s").astype(np.int64))


@pytest.mark.parametrize("text", ["7D", "1h", "15min", "1MS", "12MS", "1ME", "1B", "1", "0.5", "2600s"])
def test_index_is_the_inverse_of_times(text) -> None:
    step = Step.parse(text)
    assert str(step) == text
    start = day("2020-01-31") if step.dated else 7.0
    times = step.times(start, np.arange(60))
    assert (np.diff(times) > 0).all()
    np.testing.assert_allclose(step.index(start, times), np.arange(60), atol=1e-9)


def test_months_keep_their_day_or_take_the_last() -> None:
    assert stamps(Step.parse("1MS").times(day("2020-01-31"), np.arange(3)), True) == ["2020-01-31", "2020-02-29", "2020-03-31"]
    assert stamps(Step.parse("1ME").times(day("2020-02-29"), np.arange(2)), True) == ["2020-02-29", "2020-03-31"]


def test_working_days_leave_out_weekends() -> None:
    friday = day("2020-01-03")
    assert stamps(Step.parse("1B").times(friday, np.arange(2)), True) == ["2020-01-03", "2020-01-06"]


def test_stamps_are_as_long_as_they_must_be() -> None:
    assert stamps(np.array([0.0, 86400.0]), True) == ["1970-01-01", "1970-01-02"]
    assert stamps(np.array([0.0, 60.0]), True) == ["1970-01-01T00:00:00", "1970-01-01T00:01:00"]
    assert stamps(np.array([0.25]), True) == ["1970-01-01T00:00:00.250"]
    assert stamps(np.array([1.0, 2.5]), False) == ["1", "2.5"]


def test_what_is_no_step_is_refused() -> None:
    with pytest.raises(ValueError, match="'fortnight' is no step"):
        Step.parse("fortnight")
