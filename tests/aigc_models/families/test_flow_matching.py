import numpy as np
import pytest
import torch

from aigc_models.capabilities import Classifies, Denoises, Generates, Learns, Shape, Validates
from aigc_models.families import autoencoder, flow_matching
from aigc_models.families.flow_matching import SIZES, Config, build
from aigc_models.layers.denoiser import move
from aigc_models.modalities.image import Format


def test_the_path_runs_straight_from_noise_to_picture():
    noise, values = torch.randn(2, 2, 1, 4, 4)
    for time in (0.0, 0.3, 1.0):
        point, velocity = move(noise, values, torch.full((2,), time))
        assert torch.allclose(point + (1 - time) * velocity, values, atol=1e-6)


def test_training_lowers_the_validation_loss(digits, trained):
    batch = digits.validation.batch(np.arange(100))
    untrained, model = trained(flow_matching, 0), trained(flow_matching, 60)
    assert isinstance(model, Learns)
    assert isinstance(model, Validates)
    with torch.no_grad():
        assert float(model.validation_loss(batch)) < 0.7 * float(untrained.validation_loss(batch))


def test_an_item_depends_on_its_seed_and_condition_alone(trained):
    model = trained(flow_matching, 5)
    assert isinstance(model, Generates)
    conditions, seeds = torch.tensor([1, 2, 10]), torch.tensor([7, 8, 9])
    values = model.generate(conditions, seeds)
    assert values.shape == (3, 1, 8, 8)
    assert float(values.abs().max()) <= 1
    other = model.generate(torch.tensor([5, 2, 0]), torch.tensor([1, 8, 3]))
    assert torch.equal(values[1], other[1])
    assert not torch.equal(values[0], other[0])


def test_guidance_and_steps_change_the_picture(trained):
    model = trained(flow_matching, 20)
    asked = (torch.tensor([3]), torch.tensor([1]))
    plain = model.generate(*asked)
    assert not torch.equal(plain, model.generate(*asked, guidance=3.0))
    assert not torch.equal(plain, model.generate(*asked, steps=5))
    unconditional = model.generate(torch.tensor([10]), torch.tensor([1]))
    assert torch.allclose(unconditional, model.generate(*asked, guidance=0.0), atol=1e-5)


@pytest.mark.parametrize(("height", "width", "channels"), [(12, 8, 1), (32, 32, 3), (64, 64, 3)])
def test_other_sizes(height, width, channels):
    shape = Shape("image", (), Format(height=height, width=width, channels=channels))
    model = build(Config(width=8, embedding=8, steps=1), shape)
    assert model.generate(torch.tensor([0]), torch.tensor([0])).shape == (1, channels, height, width)


def test_all_but_the_label_comes_from_the_autoencoder(digits):
    state = build(SIZES["small"], digits.shape).state_dict()
    body = autoencoder.build(autoencoder.SIZES["small"], digits.shape).state_dict()
    assert set(state) - set(body) == {"label.weight"}
    assert all(state[name].shape == tensor.shape for name, tensor in body.items())
    assert flow_matching.BODY == "autoencoder"


def test_the_finest_detail_of_larger_pictures_is_left_out():
    shape = Shape("image", (), Format(height=32, width=32, channels=3))
    model = build(Config(width=8, embedding=8, steps=1), shape)
    assert model.sketch.item == (3, 16, 16)
    values = model.generate(torch.tensor([0]), torch.tensor([0]))
    assert build(Config(width=8, embedding=8, steps=1, detail=32), shape).sketch.item == (3, 32, 32)
    assert float(values.diff(dim=3).abs().mean()) < float(values[..., ::2].diff(dim=3).abs().mean())


def test_it_tells_the_label_and_takes_noise_away(digits, trained):
    model, batch = trained(flow_matching, 60), digits.test.batch(np.arange(40))
    assert isinstance(model, Classifies)
    assert isinstance(model, Denoises)
    hidden = type(batch)(batch.values, torch.zeros_like(batch.conditions))
    assert float((model.classify(hidden).argmax(1) == batch.conditions).float().mean()) > 0.25
    noisy = batch.values + 0.7 * torch.randn(batch.values.shape, generator=torch.Generator().manual_seed(0))
    lost = [float((values - batch.values).square().mean()) for values in (noisy, model.denoise(noisy, batch.conditions, 0.7))]
    assert lost[1] < 0.5 * lost[0]
    assert torch.allclose(model.denoise(batch.values, batch.conditions, 1e-3), batch.values, atol=0.02)
