import pytest
import torch

from aigc_models.layers.denoiser import Denoiser, NetworkConfig, even_times, fixed_noise, move, time_of

SMALL = NetworkConfig(width=8, multipliers=(1, 2), embedding=16)


def test_time_tells_how_much_noise_there_is():
    noise, values = torch.randn(2, 4, 1, 8, 8)
    for level in (0.1, 1.0, 3.0):
        time = time_of(level)
        point, _ = move(noise, values, torch.full((4,), time))
        assert torch.allclose(point / time, values + level * noise, atol=1e-4)


def test_for_sounds_it_predicts_the_item_and_follows_the_velocity_to_it(tones):
    torch.manual_seed(0)
    model = Denoiser(SMALL, tones.shape)
    assert model.absolute
    points, embedding = torch.randn(3, *model.sketch.item), torch.randn(3, 16)
    for time in (0.0, 0.5, 0.9):
        times = torch.full((3,), time)
        arrived = points + (1 - time) * model.velocity_of(points, times, embedding)
        clean = model.decoder(model.seen(points, embedding), embedding) + model.outer(embedding)
        assert torch.allclose(arrived, clean, atol=1e-4)


def test_errors_of_nearly_clean_items_count_less(tones, digits):
    errors = torch.ones(2, 1, 8, 8), torch.zeros(2, 1, 8, 8), torch.tensor([0.5, 0.98])
    assert Denoiser(SMALL, tones.shape).difference(*errors).tolist() == pytest.approx([1.0, 0.01], rel=1e-3)
    assert Denoiser(SMALL, digits.shape).difference(*errors).tolist() == [1.0, 1.0]


def test_each_place_has_its_own_answer_to_what_is_known(tones):
    """All places of a picture of zeros look alike to convolutions, their borders aside."""
    torch.manual_seed(0)
    model = Denoiser(SMALL, tones.shape)
    torch.nn.init.normal_(model.outer.layer.weight)
    with torch.no_grad():
        one, other = model.velocity_of(torch.zeros(2, *model.sketch.item), torch.zeros(2), torch.eye(2, 16))
    assert float((one - other).std(dim=1).mean()) > 0.1


def test_times_and_noise_that_are_the_same_at_every_call():
    batch = torch.zeros(4, 1, 2, 2)
    assert even_times(batch).tolist() == [0.125, 0.375, 0.625, 0.875]
    assert torch.equal(fixed_noise(batch), fixed_noise(batch))
    assert not torch.equal(fixed_noise(batch), fixed_noise(batch, 1))


def test_a_tilt_above_zero_trains_at_less_noise(digits):
    torch.manual_seed(0)
    batch = torch.zeros(2000, 1)
    plain, tilted = (Denoiser(SMALL.model_copy(update={"tilt": tilt}), digits.shape).times(batch) for tilt in (0.0, 1.0))
    assert float(plain.mean()) == pytest.approx(0.5, abs=0.03)
    assert float(tilted.mean()) > 0.65
