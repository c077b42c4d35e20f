import numpy as np
import torch

from aigc_models.capabilities import Fits, Forecasts, Generates, Stateful
from aigc_models.families.seasonal_naive import SIZES, Config, build, drift


def quiet(*args, **figures):
    return None


def test_a_season_that_grows_goes_on_exactly(waves):
    steps = torch.arange(42.0)
    window = (0.1 * steps + torch.sin(2 * torch.pi * steps / 12)).expand(3, 2, -1)
    model = build(SIZES["small"], waves.shape)
    model.load_state_dict({**model.state_dict(), "drift": torch.ones(1)})
    assert torch.allclose(model.mean(window[..., :36]), window[..., 36:], atol=1e-5)


def test_fit_takes_the_drift_that_helps_on_validation(waves):
    tried = {
        share: build(Config(drifts=(share,)), waves.shape).fit(waves.train, waves.validation, quiet) for share in (0.0, 1.0)
    }
    assert build(SIZES["small"], waves.shape).fit(waves.train, waves.validation, quiet) == min(tried.values())


def test_drift_of_a_short_past_is_that_of_its_ends():
    assert torch.allclose(drift(torch.tensor([[[0.0, 5.0, 1.0]]]), 12), torch.tensor([[0.5]]))


def test_quantiles_rise_and_hold_as_much_as_they_say(waves):
    model = build(SIZES["small"], waves.shape)
    model.fit(waves.train, waves.validation, quiet)
    batch = waves.test.batch(np.arange(len(waves.test)))
    quantiles = model.forecast(batch.values[..., :36], batch.conditions, torch.tensor([0.1, 0.5, 0.9]))
    assert (quantiles.diff(dim=-1) > 0).all()
    future = batch.values[..., 36:]
    inside = ((quantiles[..., 0] <= future) & (future <= quantiles[..., 2])).float().mean()
    assert 0.7 < float(inside) < 0.9


def test_capabilities_and_a_round_trip_through_tensors(waves):
    model, other = (build(SIZES["debug"], waves.shape) for _ in range(2))
    model.fit(waves.train, waves.validation, quiet)
    for protocol in (Fits, Forecasts, Generates, Stateful):
        assert isinstance(model, protocol)
    other.load_state_dict(model.state_dict())
    past, nothing = waves.test.batch(np.arange(4)).values[..., :36], torch.zeros(4, dtype=torch.int64)
    paths = model.generate(nothing, torch.arange(4), past=past)
    assert torch.equal(paths, other.generate(nothing, torch.arange(4), past=past))
    assert torch.allclose(paths[2:], model.generate(nothing[2:], torch.tensor([2, 3]), past=past[2:]), atol=1e-5)
    assert not torch.equal(paths[0], model.generate(nothing[:1], torch.tensor([9]), past=past[:1])[0])
