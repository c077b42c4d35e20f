"""The rule `outliers`."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from aigc_models.modalities.series import Series
from tasks.clean.clean import CleanSettings, Item
from tasks.clean.rules import outliers

WAVE = 10 * np.sin(np.arange(400) / 12) + np.random.default_rng(0).normal(size=400)


def item(*rows: np.ndarray) -> Item:
    return Item(Series(np.stack(rows), tuple("abc"[: len(rows)]), 0.0, "1D"), "x", "series")


def spiked(values: np.ndarray, *places: int) -> np.ndarray:
    values = values.copy()
    values[list(places)] += 40
    return values


def test_by_default_they_are_counted() -> None:
    given = item(WAVE, spiked(WAVE, 50, 300))
    outcome = outliers.apply(given, outliers.Settings())
    assert isinstance(outcome, Item)
    assert outcome.content is given.content
    assert outcome.noticed == ("outliers",)


def test_masked_ones_are_missing() -> None:
    outcome = outliers.apply(item(WAVE, spiked(WAVE, 0, 50, 300, 399)), outliers.Settings(action="mask"))
    assert isinstance(outcome, Item)
    assert np.argwhere(np.isnan(outcome.content.values)).tolist() == [[1, 0], [1, 50], [1, 300], [1, 399]]
    assert outcome.content.notes == ("outliers masked 4: beyond 5 robust deviations of 7 steps around",)


@pytest.mark.parametrize(
    "values",
    [
        WAVE,
        np.arange(100.0),
        np.zeros(50),
        np.repeat([1.0, 50.0], 100),  # a step is none
        np.tile([0.0] * 9 + [5.0], 20),  # nor is what comes now and then
        np.full(30, np.nan),
        np.where(np.arange(400) % 7 < 3, np.nan, WAVE),
        np.array([3.0]),
    ],
)
def test_series_without_any_stay_what_they_are(values: np.ndarray) -> None:
    given = item(values)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert outliers.apply(given, outliers.Settings(action="mask")) is given


def test_a_spike_on_a_plateau_is_found() -> None:
    values = np.round(WAVE / 5) * 5
    values[100:130] = 0
    assert outliers.outliers(spiked(values, 115), 7, 5).nonzero()[0].tolist() == [115]


def test_long_series_are_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    values = spiked(WAVE, 99, 100, 250)
    whole = outliers.outliers(values, 7, 5)
    monkeypatch.setattr(outliers, "AT_ONCE", 100)
    assert (outliers.outliers(values, 7, 5) == whole).all()


def test_they_are_masked_before_gaps_are_filled() -> None:
    assert "outliers" not in CleanSettings().chosen("series")
    rules = list(CleanSettings(rules={"outliers": {"action": "mask"}}).chosen("series"))
    assert rules.index("outliers") < rules.index("gaps")
