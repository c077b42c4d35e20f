import numpy as np
import torch

from aigc_models.capabilities import Denoises, Encodes, Reconstructs
from aigc_models.families import autoencoder


def test_it_learns_to_take_noise_away(digits, trained):
    batch = digits.validation.batch(np.arange(100))
    untrained, model = trained(autoencoder, 0), trained(autoencoder, 60)
    assert isinstance(model, Reconstructs)
    lost = [float((each.reconstruct(batch.values) - batch.values).square().mean()) for each in (untrained, model)]
    assert lost[1] < 0.7 * lost[0]
    with torch.no_grad():
        assert float(model.validation_loss(batch)) < 0.7 * float(untrained.validation_loss(batch))


def test_features_have_one_row_an_item(digits, trained):
    model = trained(autoencoder, 0)
    assert isinstance(model, Encodes)
    with torch.no_grad():
        assert model.embed(digits.test.batch(np.arange(5))).shape == (5, 16)


def test_labels_play_no_part(digits, trained):
    model, batch = trained(autoencoder, 0), digits.test.batch(np.arange(5))
    torch.manual_seed(1)
    first = model.loss(batch)
    torch.manual_seed(1)
    assert torch.equal(first, model.loss(type(batch)(batch.values, batch.conditions.flip(0))))


def test_noise_of_a_known_strength_is_taken_away(digits, trained):
    model, batch = trained(autoencoder, 60), digits.test.batch(np.arange(100))
    assert isinstance(model, Denoises)
    noisy = batch.values + 0.7 * torch.randn(batch.values.shape, generator=torch.Generator().manual_seed(0))
    mended = model.denoise(noisy, torch.full((100,), 10), 0.7)
    assert float((mended - batch.values).square().mean()) < 0.5 * float((noisy - batch.values).square().mean())
