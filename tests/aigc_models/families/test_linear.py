from dataclasses import replace

import numpy as np
import torch
from sklearn.linear_model import Ridge

from aigc_models.capabilities import Fits, Forecasts, Generates, Stateful
from aigc_models.families.linear import SIZES, Config, build
from aigc_models.families.seasonal_naive import SIZES as NAIVE
from aigc_models.families.seasonal_naive import build as naive


def quiet(*args, **figures):
    return None


def test_weights_are_those_of_scikit_learn(waves):
    model = build(Config(strengths=(0.1,), levels=(1,), pooled=(False,)), waves.shape)
    model.fit(waves.train, waves.validation, quiet)
    values = np.asarray(waves.train.values, dtype=np.float64)
    base = values[:, :, 35:36]
    past, future = values[:, 1, :36] - base[:, 1], values[:, 1, 36:] - base[:, 1]
    reference = Ridge(alpha=0.1 * past.var(0).mean() * len(past)).fit(past, future)
    assert np.allclose(model.state["weights"][1].numpy(), reference.coef_.T, atol=1e-3)
    forecast = model.mean(waves.test.batch(np.arange(5)).values[..., :36])[:, 1].numpy()
    test = np.asarray(waves.test.values[:5], dtype=np.float64)
    expected = reference.predict(test[:, 1, :36] - test[:, 1, 35:36]) + test[:, 1, 35:36]
    assert np.allclose(forecast, expected, atol=1e-3)


def test_it_beats_the_naive_forecast_and_keeps_the_best_choice(waves):
    losses = []
    model = build(SIZES["small"], waves.shape)
    best = model.fit(waves.train, waves.validation, lambda *args, **figures: losses.append(figures["validation_crps"]))
    assert best == min(losses) == model.loss(waves.validation)
    plain = naive(NAIVE["small"], waves.shape).fit(waves.train, waves.validation, quiet)
    assert best < 0.9 * plain


def test_a_level_that_was_never_seen_makes_no_difference(waves):
    model = build(SIZES["debug"], waves.shape)
    model.fit(waves.train, waves.validation, quiet)
    past = waves.test.batch(np.arange(3)).values[..., :36]
    assert torch.allclose(model.mean(past + 100) - 100, model.mean(past), atol=1e-3)


def test_capabilities_and_a_series_with_one_channel_and_few_windows(waves):
    one = replace(waves.shape, format=waves.shape.format.model_copy(update={"channels": 1}))
    train, validation = (
        replace(corpus.take(np.arange(3)), values=np.asarray(corpus.values[:3, :1]))
        for corpus in (waves.train, waves.validation)
    )
    model, other = (build(SIZES["debug"], one) for _ in range(2))
    assert np.isfinite(model.fit(train, validation, quiet))
    for protocol in (Fits, Forecasts, Generates, Stateful):
        assert isinstance(model, protocol)
    other.load_state_dict(model.state_dict())
    asked = (torch.zeros(3, dtype=torch.int64), torch.arange(3))
    past = torch.from_numpy(validation.values[..., :36])
    assert torch.equal(model.generate(*asked, past=past), other.generate(*asked, past=past))
