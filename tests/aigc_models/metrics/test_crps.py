"""Against closed forms, on windows of one series."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.forecasting.quantiles import gaussian
from aigc_models.metrics import crps, interval_coverage_gap, mse


class Normal:
    """Says that every value is Gaussian around `mean` with `spread`."""

    def __init__(self, mean: float, spread: float) -> None:
        self.mean, self.spread = mean, spread

    def forecast(self, past, conditions, levels):
        return gaussian(torch.full((len(past), past.shape[1], 6), self.mean), torch.tensor(self.spread), levels)


@pytest.fixture(scope="module")
def evidence(waves):
    """White noise of standard deviation 1, windows that overlap."""
    series = np.random.default_rng(0).normal(size=1500).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(series, 42)[:, None]
    test = Corpus("series", windows, np.zeros(len(windows), dtype=np.int64))
    format = waves.shape.format.model_copy(update={"channels": 1, "names": ("ppm",), "centre": (5.0,), "scale": (3.0,)})
    models = {"ensemble": Normal(0.0, 1.0), "wide": Normal(0.0, 2.0), "off": Normal(0.5, 1.0), "none": object()}
    return Evidence(test, test, test, replace(waves.shape, format=format), models, {})


def test_score_of_white_noise_is_its_closed_form_in_the_channels_unit(evidence):
    measurements = crps.measure(evidence)
    assert set(measurements) == {"ensemble", "wide", "off"}
    assert measurements["ensemble"].unit == "units of ppm"
    assert measurements["ensemble"].value == pytest.approx(3 / math.sqrt(math.pi), rel=0.04)
    assert measurements["ensemble"].low < 3 / math.sqrt(math.pi) < measurements["ensemble"].high


def test_the_truth_is_told_from_what_is_off_and_from_what_is_too_wide(evidence):
    differences = crps.measure(evidence)["ensemble"].versus
    assert differences["wide"].high < 0
    assert differences["off"].high < 0


def test_error_of_the_median(evidence):
    measurements = mse.measure(evidence)
    assert measurements["ensemble"].value == pytest.approx(9.0, rel=0.08)
    assert measurements["off"].versus["ensemble"].value == pytest.approx(9 * 0.25, rel=0.3)


def test_coverage_is_right_for_the_truth_alone(evidence):
    measurements = interval_coverage_gap.measure(evidence)
    assert measurements["ensemble"].value < 0.02
    assert measurements["wide"].value == pytest.approx(math.erf(2 * 1.2816 / math.sqrt(2)) - 0.8, abs=0.02)


def test_several_channels_are_scored_in_standard_deviations(waves):
    models = {"ensemble": Normal(0.0, 1.0)}
    measurements = crps.measure(Evidence(waves.train, waves.validation, waves.test, waves.shape, models, {}))
    assert measurements["ensemble"].unit == "standard deviations"


def test_is_left_out_where_nothing_forecasts(evidence):
    for metric in (crps, mse, interval_coverage_gap):
        assert not metric.applies(replace(evidence, models={"none": object()}))
        assert metric.applies(evidence)
