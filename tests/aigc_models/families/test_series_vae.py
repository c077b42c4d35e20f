import numpy as np
import torch

from aigc_models.capabilities import Reconstructs
from aigc_models.families.series_vae import SIZES, build


def test_a_code_brings_the_future_back_better_than_the_past_alone(waves):
    torch.manual_seed(0)
    model = build(SIZES["debug"], waves.shape)
    (player,) = model.players()
    optimiser = torch.optim.Adam(player.parameters, lr=1e-2)
    noisy = waves.train.batch(np.arange(256))
    shifted = torch.randn(256, 2, 1, generator=torch.Generator().manual_seed(0))  # a future that its past does not tell
    noisy.values[..., 36:] += shifted
    for _ in range(150):
        optimiser.zero_grad()
        player.loss(noisy).backward()
        optimiser.step()
    model.eval()
    rebuilt, nothing = model.reconstruct(noisy.values), noisy.conditions
    future = noisy.values[..., 36:]
    middle = model.forecast(noisy.values[..., :36], nothing, torch.tensor([0.5]))[..., 0]
    assert isinstance(model, Reconstructs)
    assert torch.equal(rebuilt[..., :36], noisy.values[..., :36])
    assert float((rebuilt[..., 36:] - future).square().mean()) < 0.5 * float((middle - future).square().mean())


def test_validation_loss_is_the_same_at_each_call(waves):
    model, batch = build(SIZES["debug"], waves.shape).eval(), waves.validation.batch(np.arange(10))
    assert float(model.validation_loss(batch)) == float(model.validation_loss(batch))
