from dataclasses import replace

import numpy as np

from aigc_models.evidence import Evidence
from aigc_models.metrics._windows import measured, spans


def test_without_times_the_windows_are_one_series_at_its_stride(waves):
    shape = replace(waves.shape, format=waves.shape.format.model_copy(update={"stride": 3}))
    evidence = Evidence(waves.train, waves.validation, waves.test, shape, {}, {})
    assert spans(evidence)[:2].tolist() == [[0, 5], [3, 8]]


def test_the_times_of_the_data_decide_what_belongs_together(waves):
    """The same errors as 153 windows of one series, and as those of three series at 51 times."""
    begins = np.repeat(np.arange(51.0), 3)
    times = np.stack([begins, begins], axis=1)
    one = Evidence(waves.train, waves.validation, waves.test, waves.shape, {}, {})
    figures = {"a": np.repeat(np.random.default_rng(0).gamma(2.0, size=51), 3)}
    alone, three = (measured(evidence, figures, "unit")["a"] for evidence in (one, replace(one, spans=times)))
    assert alone.value == three.value
    assert three.high - three.low > alone.high - alone.low
    assert three.low >= 0
