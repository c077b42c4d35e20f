from dataclasses import replace

import numpy as np
import torch

from aigc_models.capabilities import Fits, Forecasts, Generates, Stateful
from aigc_models.families.harmonic import SIZES, Config, build
from aigc_models.families.seasonal_naive import SIZES as NAIVE
from aigc_models.families.seasonal_naive import build as naive


def quiet(*args, **figures):
    return None


def test_the_course_is_told_from_phase_and_strength(waves):
    """A past of any strength, shifted by any number of steps, has the course that the others taught."""
    model = build(Config(harmonics=(3,), strengths=(0.1,), stretches=(0.0,)), waves.shape)

    def windows(strength, shift):
        angles = 2 * torch.pi * (torch.arange(42.0) + shift) / 12
        return (strength * (angles.sin() + 0.4 * (2 * angles).cos())).expand(1, 2, -1)

    model.state["turn"] = torch.tensor([2 * torch.pi / 12])
    model.state["course"] = model.coursed(torch.cat([windows(1.0, shift) for shift in range(12)]), 3)
    other = windows(2.5, 3.5)
    rest, future = model.split(other[..., :36])
    assert torch.allclose(rest, torch.zeros_like(rest), atol=0.02)
    assert torch.allclose(future, other[..., 36:], atol=0.02)


def test_the_best_choice_is_kept_and_beats_the_naive_forecast(waves):
    losses = []
    model = build(SIZES["small"], waves.shape)
    best = model.fit(waves.train, waves.validation, lambda *args, **figures: losses.append(figures["validation_crps"]))
    assert best == min(losses) == model.loss(waves.validation)
    assert best < 0.9 * naive(NAIVE["small"], waves.shape).fit(waves.train, waves.validation, quiet)


def test_capabilities_and_a_series_without_a_season(waves):
    shape = replace(waves.shape, format=waves.shape.format.model_copy(update={"season": 1}))
    model, other = (build(SIZES["debug"], shape) for _ in range(2))
    assert np.isfinite(model.fit(waves.train, waves.validation, quiet))
    for protocol in (Fits, Forecasts, Generates, Stateful):
        assert isinstance(model, protocol)
    other.load_state_dict(model.state_dict())
    asked = (torch.zeros(3, dtype=torch.int64), torch.arange(3))
    past = waves.test.batch(np.arange(3)).values[..., :36]
    assert torch.equal(model.generate(*asked, past=past), other.generate(*asked, past=past))
