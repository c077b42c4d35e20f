"""Denoising autoencoder over all amounts of noise, trained without labels: the self-supervised body of the image families.

The prediction is the velocity towards the clean picture (Lipman et al. 2023), so the network is a flow without labels:
`flow_matching` takes over all but its label embedding, `vae` the encoder and the time embedding.
"""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Player, Shape
from aigc_models.convolutions import Decoder, Encoder, TimeEmbedding, level_widths, patch_size
from aigc_models.corpus import Batch

MODALITIES = frozenset({"image"})
PLAN = {"learning_rate": 3e-3, "batch_size": 64, "ema": 0.998, "weight_decay": 0.01}


class Config(BaseModel):
    """The U-Net's size, the same numbers as in `flow_matching` and `vae`, which start from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    width: int = Field(24, description="channels at the finest level; a multiple of 8")
    multipliers: tuple[int, ...] = Field((1, 2, 3), description="channels at each level, in units of width")
    blocks: int = Field(1, description="residual blocks at each level, down and up")
    embedding: int = Field(64, description="length of the time embedding, numbers")
    noise: float = Field(0.3, description="amount of noise that `reconstruct` adds and takes away, 0 to 1")


SIZES = {
    "debug": Config(width=8, multipliers=(1, 2), embedding=16),
    "small": Config(),
    "base": Config(width=48, multipliers=(1, 2, 3), blocks=2, embedding=128),
    "large": Config(width=96, multipliers=(1, 2, 3), blocks=3, embedding=256),
}


class Autoencoder(nn.Module):
    """Noisy picture and its amount of noise -> the way to the clean one."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        height, width, channels = shape.format.height, shape.format.width, shape.format.channels
        parts = (channels, patch_size(height, width), level_widths(height, width, config.width, config.multipliers))
        self.config = config
        self.encoder = Encoder(*parts, config.blocks, config.embedding)
        self.decoder = Decoder(*parts, config.blocks, config.embedding)
        self.time = TimeEmbedding(config.embedding)

    def players(self) -> list[Player]:
        return [Player("denoiser", list(self.parameters()), self.loss)]

    def loss(self, batch: Batch) -> Tensor:
        time = torch.randn(len(batch), device=batch.values.device).sigmoid()
        return self.error(batch.values, torch.randn_like(batch.values), time)

    def validation_loss(self, batch: Batch) -> Tensor:
        """The error at fixed noise and evenly spread times."""
        time = (torch.arange(len(batch), device=batch.values.device) + 0.5) / len(batch)
        return self.error(batch.values, fixed_noise(batch.values), time)

    def error(self, values: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        share = time[:, None, None, None]
        return F.mse_loss(self.velocity((1 - share) * noise + share * values, time), values - noise)

    def velocity(self, values: Tensor, time: Tensor) -> Tensor:
        embedding = F.silu(self.time(time))
        return self.decoder(self.encoder(values, embedding), embedding)

    def embed(self, batch: Batch) -> Tensor:
        """Float (item, feature): the coarsest level of the clean picture, averaged over places."""
        embedding = F.silu(self.time(torch.ones(len(batch), device=batch.values.device)))
        return self.encoder(batch.values, embedding)[-1].mean(dim=(2, 3))

    @torch.no_grad()
    def reconstruct(self, values: Tensor) -> Tensor:
        """Add the config's amount of (fixed) noise and take it away again, in one step."""
        amount = self.config.noise
        noisy = amount * fixed_noise(values) + (1 - amount) * values
        time = torch.full((len(values),), 1 - amount, device=values.device)
        return (noisy + amount * self.velocity(noisy, time)).clamp(-1, 1)


def fixed_noise(values: Tensor) -> Tensor:
    """Standard normal of the values' shape, the same at every call."""
    return torch.randn(values.shape, generator=torch.Generator().manual_seed(0)).to(values)


def build(config: Config, shape: Shape) -> Autoencoder:
    return Autoencoder(config, shape)
