import numpy as np

from aigc_models.evidence import Evidence
from aigc_models.families.seasonal_naive import SIZES, build
from aigc_models.metrics import mse


def test_error_of_the_naive_forecast_is_that_by_hand(waves):
    model = build(SIZES["small"], waves.shape)
    measurements = mse.measure(Evidence(waves.train, waves.validation, waves.test, waves.shape, {"ensemble": model}, {}))
    values = np.asarray(waves.test.values, dtype=np.float64)
    expected = np.mean((values[..., 36:] - values[..., 24:30]) ** 2)
    assert np.isclose(measurements["ensemble"].value, expected, rtol=1e-4)
    assert measurements["ensemble"].unit == "standard deviations, squared"
