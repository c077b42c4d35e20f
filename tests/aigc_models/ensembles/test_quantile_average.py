import numpy as np
import pytest
import torch

from aigc_models.capabilities import Forecasts, Generates
from aigc_models.ensembles.quantile_average import Settings, build, chosen, descended, fit, loss
from aigc_models.families import linear, seasonal_naive
from aigc_models.forecasting.quantiles import gaussian, grid, window_crps


def quiet(*args, **figures):
    return None


@pytest.fixture(scope="module")
def members(waves):
    models = {}
    for family in (linear, seasonal_naive):
        models[family.__name__.rsplit(".", 1)[1]] = model = family.build(family.SIZES["debug"], waves.shape)
        model.fit(waves.train, waves.validation, quiet)
    return models


def two_sided(items):
    """Two members whose errors have opposite signs, and one that is far off."""
    random = torch.Generator().manual_seed(0)
    target, error = torch.randn(items, 1, 3, generator=random), torch.randn(items, 1, 3, generator=random)
    noise = 0.1 * torch.randn(3, items, 1, 3, generator=random)
    means = torch.stack([target + error, target - 0.5 * error, target + 5]) + noise
    return torch.stack([gaussian(mean, torch.tensor(0.7), grid()) for mean in means]), target


def test_weights_cancel_the_errors_and_leave_the_bad_one_out():
    quantiles, target = two_sided(300)
    weights = chosen(quantiles, target, 1e6, Settings(within=3))
    assert torch.allclose(weights, torch.tensor([1 / 3, 2 / 3, 0.0]), atol=0.05)


def test_descent_finds_what_a_fine_grid_finds():
    quantiles, target = two_sided(60)
    weights = descended(quantiles[:2], target, Settings())
    shares = torch.linspace(0, 1, 201)
    best = min(float(loss(torch.stack([share, 1 - share]), quantiles[:2], target)) for share in shares)
    assert float(loss(weights, quantiles[:2], target)) < best + 1e-4


def test_few_horizons_bring_the_weights_near_to_equal_ones():
    quantiles, target = two_sided(300)
    few, many = (chosen(quantiles[:2], target, horizons, Settings(shrinks=(0.0,), within=3)) for horizons in (1.0, 1e6))
    assert abs(float(few[0]) - 0.5) < 0.5 * abs(float(many[0]) - 0.5)


def test_fitted_average_is_no_worse_than_its_members_on_validation(waves, members):
    ensemble = fit(members, waves.train, waves.validation, waves.shape, Settings(within=10), 0, quiet)
    assert sum(ensemble.weights.values()) == pytest.approx(1)
    losses = {n: float(window_crps(m, waves.validation, waves.shape.format).mean()) for n, m in members.items()}
    ensemble_loss = float(window_crps(ensemble, waves.validation, waves.shape.format).mean())
    assert ensemble_loss < sum(ensemble.weights[name] * loss for name, loss in losses.items()) + 1e-6
    assert ensemble.weights["linear"] > ensemble.weights["seasonal_naive"]


def test_quantiles_are_averaged_and_paths_are_distributed_like_them(waves, members):
    ensemble = build(members, {"linear": 3.0, "seasonal_naive": 1.0}, Settings())
    assert isinstance(ensemble, Forecasts)
    assert isinstance(ensemble, Generates)
    past, levels = waves.test.batch(np.arange(1)).values[..., :36], torch.tensor([0.1, 0.5, 0.9])
    nothing = torch.zeros(500, dtype=torch.int64)
    mean = ensemble.forecast(past, nothing[:1], levels)
    parts = [members[name].forecast(past, nothing[:1], levels) for name in ("linear", "seasonal_naive")]
    assert torch.allclose(mean, 0.75 * parts[0] + 0.25 * parts[1], atol=1e-5)
    paths = ensemble.generate(nothing, torch.arange(500), past=past.expand(500, -1, -1))
    inside = ((paths > mean[..., 0]) & (paths < mean[..., 2])).float().mean()
    assert 0.75 < float(inside) < 0.85
    again = ensemble.generate(nothing[:3], torch.tensor([5, 6, 7]), past=past.expand(3, -1, -1))
    assert torch.allclose(again, paths[5:8], atol=1e-4)


def test_a_member_without_weight_is_not_asked(waves, members):
    ensemble = build({**members, "broken": object()}, {"linear": 1.0, "seasonal_naive": 0.0, "broken": 0.0}, Settings())
    past, nothing = waves.test.batch(np.arange(2)).values[..., :36], torch.zeros(2, dtype=torch.int64)
    forecast = ensemble.forecast(past, nothing, torch.tensor([0.5]))
    assert torch.allclose(forecast, members["linear"].forecast(past, nothing, torch.tensor([0.5])))
