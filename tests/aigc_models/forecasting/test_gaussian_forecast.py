import numpy as np
import pytest
import torch

from aigc_models.families import linear
from aigc_models.families.seasonal_naive import SIZES, build
from aigc_models.forecasting.gaussian_forecast import PRIOR, best_scale
from aigc_models.forecasting.quantiles import gaussian_crps


def test_spread_and_correlations_are_those_of_the_residuals(waves):
    model = build(SIZES["small"], waves.shape)
    model.settle(waves.train, waves.train.take(np.arange(0)))  # without validation: as wide as on train
    batch = waves.train.batch(np.arange(len(waves.train)))
    residuals = batch.values[..., 36:] - model.mean(batch.values[..., :36])
    assert torch.allclose(model.state["spread"], residuals.square().mean(0).sqrt(), atol=1e-4)
    past = batch.values[:1, :, :36].expand(3000, -1, -1)
    paths = model.generate(torch.zeros(3000, dtype=torch.int64), torch.arange(3000), past=past)
    assert torch.allclose(paths.std(0), model.state["spread"], rtol=0.06)
    calm = model.generate(torch.zeros(3000, dtype=torch.int64), torch.arange(3000), past=past, temperature=0.5)
    assert torch.allclose(calm.std(0), 0.5 * model.state["spread"], rtol=0.06)


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_the_scale_of_simulated_errors_is_learned(factor):
    spread = torch.linspace(0.5, 2, 6).repeat(2, 1)
    errors = factor * spread * torch.randn(2000, 2, 6, generator=torch.Generator().manual_seed(0))
    assert best_scale(errors, spread) == pytest.approx(factor, rel=0.03)
    losses = [float(gaussian_crps(errors, scale * spread).mean()) for scale in (0.7 * factor, factor, 1.4 * factor)]
    assert losses[1] == min(losses)


def test_validation_widens_what_was_fitted_to_too_little(waves):
    few = waves.train.take(np.arange(60))  # for 36 weights a step
    model = linear.build(linear.Config(strengths=(1e-5,), levels=(1,), pooled=(False,)), waves.shape)
    model.fit(few, waves.validation, lambda *args, **figures: None)
    errors = model.residuals(few), model.residuals(waves.validation), model.residuals(waves.test)
    on_train = errors[0].square().mean(0).sqrt()
    ratio = model.state["spread"] / on_train
    assert torch.allclose(ratio, ratio.mean().expand_as(ratio), rtol=1e-3)  # one scale for all steps and channels
    horizons = len(waves.validation) * waves.shape.format.stride / waves.shape.format.horizon
    assert float(ratio.mean()) == pytest.approx(best_scale(errors[1], on_train) ** (horizons / (horizons + PRIOR)), rel=1e-3)
    inside = [float((errors[2].abs() <= 1.96 * spread).float().mean()) for spread in (on_train, model.state["spread"])]
    assert inside[0] < 0.8 < 0.88 < inside[1] < 0.99  # of a 95 % interval, on test
    losses = [float(gaussian_crps(errors[2], spread).mean()) for spread in (on_train, model.state["spread"])]
    assert losses[1] < 0.97 * losses[0]
