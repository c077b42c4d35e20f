import numpy as np
import pytest
import torch

from aigc_models.capabilities import Denoises, Encodes, Reconstructs
from aigc_models.families.masked_series import SIZES, build


@pytest.fixture(scope="module")
def pair(waves):
    models = []
    for steps in (0, 150):
        torch.manual_seed(0)
        model = build(SIZES["debug"].model_copy(update={"patch": 6}), waves.shape)
        (player,) = model.players()
        optimiser = torch.optim.Adam(player.parameters, lr=1e-2)
        for step in range(steps):
            optimiser.zero_grad()
            player.loss(waves.train.batch(np.arange(step * 32, step * 32 + 32) % len(waves.train))).backward()
            optimiser.step()
        models.append(model.eval())
    return models


def test_holes_are_filled_better_after_training(waves, pair):
    batch = waves.validation.batch(np.arange(60))
    with torch.no_grad():
        assert float(pair[1].validation_loss(batch)) < 0.8 * float(pair[0].validation_loss(batch))


def test_a_patch_is_guessed_from_the_others_alone(waves, pair):
    values = waves.test.batch(np.arange(2)).values
    spoilt = values.clone()
    spoilt[..., 7] += 1e-3
    before, after = (pair[1].past.rows(one[..., :36])[0] for one in (values, spoilt))
    hidden = pair[1].groups(values[..., :36])[1]  # the second patch
    with torch.no_grad():
        first, second = (pair[1].filled(rows, hidden)[:, 1] for rows in (before, before + (after - before) * hidden[0, 1]))
    assert torch.allclose(first, second, atol=1e-3)


def test_noise_is_taken_away(waves, pair):
    clean = waves.test.batch(np.arange(60)).values
    noisy = clean + 0.6 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    denoised = pair[1].denoise(noisy, torch.zeros(60, dtype=torch.int64), 0.6)
    assert float((denoised - clean).square().mean()) < 0.8 * 0.36
    assert torch.allclose(pair[1].denoise(clean, torch.zeros(60, dtype=torch.int64), 0.0), clean)


def test_capabilities_and_shapes(waves, pair):
    for protocol in (Encodes, Reconstructs, Denoises):
        assert isinstance(pair[0], protocol)
    batch = waves.test.batch(np.arange(4))
    assert pair[0].reconstruct(batch.values).shape == batch.values.shape
    assert pair[0].reconstruct(batch.values[..., :36]).shape == (4, 2, 36)
    with torch.no_grad():
        assert pair[0].embed(batch).shape == (4, 8)
