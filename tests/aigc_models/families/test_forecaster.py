import numpy as np
import pytest
import torch

from aigc_models.capabilities import Encodes, Forecasts, Generates
from aigc_models.families import forecaster, masked_series, series_vae
from aigc_models.families.forecaster import SIZES, build
from aigc_models.forecasting.quantiles import window_crps


def taught(family, waves, steps, size="debug"):
    torch.manual_seed(0)
    model = family.build(family.SIZES[size], waves.shape)
    (player,) = model.players()
    optimiser = torch.optim.Adam(player.parameters, lr=1e-2)
    for step in range(steps):
        optimiser.zero_grad()
        player.loss(waves.train.batch(np.arange(step * 32, step * 32 + 32) % len(waves.train))).backward()
        optimiser.step()
    return model.eval()


@pytest.fixture(scope="module", params=[forecaster, series_vae], ids=["forecaster", "series_vae"])
def learned(request, waves):
    return taught(request.param, waves, 0), taught(request.param, waves, 100)


def test_training_lowers_the_score(waves, learned):
    before, after = (float(window_crps(model, waves.test, waves.shape.format).mean()) for model in learned)
    assert after < 0.7 * before


def test_quantiles_never_cross_and_hold_about_as_much_as_they_say(waves, learned):
    model, batch = learned[1], waves.test.batch(np.arange(len(waves.test)))
    quantiles = model.forecast(batch.values[..., :36], batch.conditions, torch.tensor([0.01, 0.1, 0.5, 0.9, 0.99]))
    assert quantiles.shape == (len(batch), 2, 6, 5)
    assert (quantiles.diff(dim=-1) >= 0).all()
    future = batch.values[..., 36:]
    inside = ((quantiles[..., 1] <= future) & (future <= quantiles[..., 3])).float().mean()
    assert 0.65 < float(inside) < 0.95


def test_paths_have_the_quantiles_and_belong_to_their_seeds(waves, learned):
    model, past = learned[1], waves.test.batch(np.arange(1)).values[..., :36]
    nothing, seeds = torch.zeros(400, dtype=torch.int64), torch.arange(400)
    assert isinstance(model, Forecasts)
    assert isinstance(model, Generates)
    paths = model.generate(nothing, seeds, past=past.expand(400, -1, -1))
    low, middle, high = model.forecast(past, nothing[:1], torch.tensor([0.1, 0.5, 0.9])).unbind(-1)
    assert 0.7 < float(((paths > low) & (paths < high)).float().mean()) < 0.9
    assert abs(float((paths < middle).float().mean()) - 0.5) < 0.1
    again = model.generate(nothing[:16], seeds[100:116], past=past.expand(16, -1, -1))
    assert torch.allclose(again, paths[100:116], atol=1e-5)


def test_a_level_that_was_never_seen_makes_no_difference(waves, learned):
    past, nothing, levels = (
        waves.test.batch(np.arange(3)).values[..., :36],
        torch.zeros(3, dtype=torch.int64),
        torch.tensor([0.5]),
    )
    high = learned[1].forecast(past + 50, nothing, levels) - 50
    assert torch.allclose(high, learned[1].forecast(past, nothing, levels), atol=2e-3)


def test_features_are_there(waves, learned):
    assert isinstance(learned[1], Encodes)
    with torch.no_grad():
        assert learned[1].embed(waves.test.batch(np.arange(5))).shape[0] == 5


def test_errors_of_neighbouring_steps_are_learnt_to_go_together(waves):
    model = build(SIZES["debug"], waves.shape)
    model.copula.learn(torch.randn(500, 2, 1).expand(-1, -1, 6))
    past = waves.test.batch(np.zeros(200, dtype=int)).values[..., :36]
    paths = model.generate(torch.zeros(200, dtype=torch.int64), torch.arange(200), past=past)[:, 0]
    assert float(torch.corrcoef(paths.T)[0, 5]) > 0.8


def test_encoder_and_season_come_from_masked_series(waves):
    body = masked_series.build(masked_series.SIZES["small"], waves.shape).state_dict()
    for family in (forecaster, series_vae):
        state = family.build(family.SIZES["small"], waves.shape).state_dict()
        shared = {name for name, tensor in body.items() if name in state and state[name].shape == tensor.shape}
        assert {name for name in state if name.startswith("past.")} == shared


def test_a_series_with_neither_season_nor_whole_patches(waves):
    short = waves.shape.format.model_copy(update={"season": 1, "context": 31})
    shape = type(waves.shape)("series", ("a", "b"), short)
    for family in (forecaster, series_vae):
        model = family.build(family.SIZES["debug"], shape).eval()
        past = torch.randn(3, 2, 31)
        assert torch.isfinite(model.forecast(past, torch.tensor([0, 1, 2]), torch.tensor([0.1, 0.9]))).all()
