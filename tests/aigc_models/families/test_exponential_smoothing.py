import numpy as np
import pytest
import torch
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from aigc_models.capabilities import Fits, Forecasts, Generates, Stateful
from aigc_models.families.exponential_smoothing import SIZES, build


def quiet(*args, **figures):
    return None


def test_recursion_is_that_of_statsmodels(waves):
    """Same states at the start, same parameters: the same forecast."""
    model = build(SIZES["small"], waves.shape)
    past = waves.train.batch(np.arange(1)).values[:, 0, :36]
    level, trend, seasons = model.begun(past)
    alpha, beta, gamma, phi = 0.4, 0.2, 0.3, 0.9
    reference = ETSModel(
        past[0].double().numpy(),
        error="add",
        trend="add",
        damped_trend=True,
        seasonal="add",
        seasonal_periods=12,
        initialization_method="known",
        initial_level=float(level),
        initial_trend=float(trend),
        initial_seasonal=torch.stack(seasons, dim=1)[0].double().numpy(),
    )
    parameters = {"smoothing_level": alpha, "smoothing_trend": alpha * beta, "smoothing_seasonal": gamma * (1 - alpha)}
    state = [*parameters.values(), phi, float(level), float(trend), *[float(one) for one in seasons][::1]]
    expected = reference.smooth(np.array(state)).forecast(6)
    forecast = model.continued(past, torch.tensor([alpha, beta, gamma, phi]))[0].numpy()
    assert np.allclose(forecast, expected, atol=1e-3)


def test_fitting_lowers_the_error_over_the_whole_horizon(waves):
    model = build(SIZES["debug"].model_copy(update={"evaluations": 60}), waves.shape)
    before = model.state["parameters"].clone()
    batch = waves.train.batch(np.arange(0, len(waves.train), 20))
    past, future = batch.values[..., :36], batch.values[..., 36:]
    first = float((model.mean(past) - future).square().mean())
    loss = model.fit(waves.train, waves.validation, quiet)
    assert float((model.mean(past) - future).square().mean()) < first
    assert not torch.equal(before, model.state["parameters"])
    assert loss == pytest.approx(model.loss(waves.validation))


def test_capabilities_and_a_round_trip_through_tensors(waves):
    model, other = (build(SIZES["debug"], waves.shape) for _ in range(2))
    model.fit(waves.train, waves.validation, quiet)
    for protocol in (Fits, Forecasts, Generates, Stateful):
        assert isinstance(model, protocol)
    other.load_state_dict(model.state_dict())
    batch = waves.test.batch(np.arange(3))
    asked = (batch.values[..., :36], batch.conditions, torch.tensor([0.2, 0.8]))
    assert torch.equal(model.forecast(*asked), other.forecast(*asked))
