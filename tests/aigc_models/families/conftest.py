"""What the picture families' tests share."""

from functools import cache

import numpy as np
import pytest
import torch


@pytest.fixture(scope="session")
def trained(digits):
    """`trained(vae, 80)`: a family's debug model with one player, after some steps of Adam on digits; trained once."""

    @cache
    def train(family, steps):
        torch.manual_seed(0)
        model = family.build(family.SIZES["debug"], digits.shape)
        (player,) = model.players()
        optimiser = torch.optim.Adam(player.parameters, lr=5e-3)
        for step in range(steps):
            optimiser.zero_grad()
            player.loss(digits.train.batch(np.arange(step * 64, step * 64 + 64) % len(digits.train))).backward()
            optimiser.step()
        return model.eval()

    return train


@pytest.fixture
def fitted(strolls):
    """`fitted(ease)`: a plain family's debug model, or one of `settings`, fitted to the strolls."""

    def fit(family, **settings):
        model = family.build(family.SIZES["debug"].model_copy(update=settings), strolls.shape)
        model.fit(strolls.train, strolls.validation, lambda *args, **figures: None)
        return model

    return fit
