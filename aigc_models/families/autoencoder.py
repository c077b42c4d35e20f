"""Denoising autoencoder over all amounts of noise, trained without labels: the self-supervised body of the picture families.

The prediction is the velocity towards the clean picture (Lipman et al. 2023), so the network is a flow without labels:
`flow_matching` takes over all but its label embedding, `vae` the encoder and the time embedding.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from aigc_models.canvas import painted
from aigc_models.capabilities import Player, Shape
from aigc_models.corpus import Batch
from aigc_models.layers.denoiser import Denoiser, NetworkConfig, even_times, fixed_noise, move, time_of

MODALITIES = painted()
PLAN = {"learning_rate": 3e-3, "batch_size": 64, "ema": 0.998, "weight_decay": 0.01}


class Config(NetworkConfig):
    """The U-Net's size, the same numbers as in `flow_matching` and `vae`, which start from it."""

    noise: float = Field(0.3, description="amount of noise that `reconstruct` adds and takes away, 0 to 1")


SIZES = {
    "debug": Config(width=8, multipliers=(1, 2), embedding=16),
    "small": Config(),
    "base": Config(detail=64, grid=16, width=48, multipliers=(1, 2, 3), blocks=2, embedding=128),
    "large": Config(detail=128, grid=16, width=96, multipliers=(1, 2, 3), blocks=3, embedding=256),
}


class Autoencoder(Denoiser):
    """Noisy picture and its amount of noise -> the way to the clean one."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(config, shape)
        self.config = config

    def players(self) -> list[Player]:
        return [Player("denoiser", list(self.parameters()), self.loss)]

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        time = self.times(batch.values)
        values = self.sketch.of(batch.values)
        return self.error(values, torch.randn_like(values), time)

    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """The error at fixed noise and evenly spread times."""
        values = self.sketch.of(batch.values)
        return self.error(values, fixed_noise(values), even_times(values))

    def error(self, values: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        point, velocity = move(noise, values, time)
        return self.difference(self.velocity(point, time), velocity, time).mean()

    def velocity(self, values: Tensor, time: Tensor) -> Tensor:
        return self.velocity_of(values, time, F.silu(self.time(time)))

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]:
        """Float (item, feature): the coarsest level of the clean picture, averaged over places."""
        embedding = F.silu(self.time(torch.ones(len(batch), device=batch.values.device)))
        return self.seen(self.sketch.of(batch.values), embedding)[-1].mean(dim=(2, 3))

    @torch.no_grad()
    def reconstruct(self, values: Float[Tensor, "item channel *space"]) -> Float[Tensor, "item channel *space"]:
        """Add the config's amount of (fixed) noise and take it away again, in one step."""
        amount, values = self.config.noise, self.sketch.of(values)
        return self.cleaned(amount * fixed_noise(values) + (1 - amount) * values, 1 - amount)

    @torch.no_grad()
    def denoise(
        self, values: Float[Tensor, "item channel *space"], conditions: Int[Tensor, " item"], noise: float
    ) -> Float[Tensor, "item channel *space"]:
        """Take the noise away in one step; labels play no part."""
        pictures, left = self.sketch.noisy(values, noise)
        return self.cleaned(time_of(left) * pictures, time_of(left))

    def cleaned(self, pictures: Tensor, time: float) -> Tensor:
        """Items from pictures at `time` of their paths."""
        times = torch.full((len(pictures),), time, device=pictures.device)
        return self.sketch.back(pictures + (1 - time) * self.velocity(pictures, times))


def build(config: Config, shape: Shape) -> Autoencoder:
    return Autoencoder(config, shape)
