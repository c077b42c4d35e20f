import numpy as np
import torch

from aigc_models.families.seasonal_naive import SIZES, build


def test_spread_and_correlations_are_those_of_the_residuals(waves):
    model = build(SIZES["small"], waves.shape)
    model.settle(waves.train)
    batch = waves.train.batch(np.arange(len(waves.train)))
    residuals = batch.values[..., 36:] - model.mean(batch.values[..., :36])
    assert torch.allclose(model.state["spread"], residuals.square().mean(0).sqrt(), atol=1e-4)
    past = batch.values[:1, :, :36].expand(3000, -1, -1)
    paths = model.generate(torch.zeros(3000, dtype=torch.int64), torch.arange(3000), past=past)
    assert torch.allclose(paths.std(0), model.state["spread"], rtol=0.06)
    calm = model.generate(torch.zeros(3000, dtype=torch.int64), torch.arange(3000), past=past, temperature=0.5)
    assert torch.allclose(calm.std(0), 0.5 * model.state["spread"], rtol=0.06)
