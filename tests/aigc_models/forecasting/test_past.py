import torch

from aigc_models.forecasting.past import Past, PastConfig, Season, slope, straightened


def wave(strength, shift, steps=42):
    return strength * (2 * torch.pi * (torch.arange(float(steps)) + shift) / 12).cos()


def test_a_wave_of_any_phase_and_strength_is_found_with_a_trend_on_it(waves):
    season = Season(waves.shape.format, 1)
    rows = torch.stack([wave(strength, shift) for strength, shift in ((1.0, 0.0), (2.5, 4.3), (0.2, -7.0))])
    trend = torch.tensor([[0.0], [0.1], [-0.02]]) * torch.arange(42.0)
    course = season((rows + trend)[:, :36], torch.tensor([0, 1, 0]))
    assert torch.allclose(course, rows, atol=0.02)


def test_a_slope_is_not_tilted_by_a_wave():
    rows = wave(3.0, 2.0, 36) + 0.5 * torch.arange(36.0) + 7
    assert torch.allclose(slope(rows, 12), torch.tensor(0.5), atol=1e-4)
    assert torch.allclose(straightened(rows, 12), wave(3.0, 2.0, 36), atol=1e-3)


def test_noise_is_added_in_training_alone(waves):
    past, nothing = torch.randn(4, 2, 36), torch.zeros(4, dtype=torch.int64)
    model = Past(PastConfig(dropout=0.0, noise=0.5), waves.shape)
    assert not torch.equal(model(past, nothing).features, model(past, nothing).features)
    model.eval()
    assert torch.equal(model(past, nothing).features, model(past, nothing).features)
