"""Denoising autoencoder over all amounts of noise, trained without labels: the self-supervised body of the image families.

The prediction is the velocity towards the clean picture (Lipman et al. 2023), so the network is a flow without labels:
`flow_matching` takes over all but its label embedding, `vae` the encoder and the time embedding.
"""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.bands import Bands
from aigc_models.capabilities import Player, Shape
from aigc_models.convolutions import Decoder, Encoder, TimeEmbedding, level_widths, patch_size
from aigc_models.corpus import Batch

MODALITIES = frozenset({"image"})
PLAN = {"learning_rate": 3e-3, "batch_size": 64, "ema": 0.998, "weight_decay": 0.01}


class Config(BaseModel):
    """The U-Net's size, the same numbers as in `flow_matching` and `vae`, which start from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    detail: int = Field(28, description="pixels a side of what is learnt; of larger pictures the finest detail is left out")
    grid: int = Field(8, description="widest grid of the layers, in patches; larger pictures are cut into patches of 2 or 4")
    width: int = Field(24, description="channels at the finest level; a multiple of 8")
    multipliers: tuple[int, ...] = Field((1, 2, 3), description="channels at each level, in units of width")
    blocks: int = Field(1, description="residual blocks at each level, down and up")
    embedding: int = Field(64, description="length of the time embedding, numbers")
    noise: float = Field(0.3, description="amount of noise that `reconstruct` adds and takes away, 0 to 1")


SIZES = {
    "debug": Config(width=8, multipliers=(1, 2), embedding=16),
    "small": Config(),
    "base": Config(detail=64, grid=16, width=48, multipliers=(1, 2, 3), blocks=2, embedding=128),
    "large": Config(detail=128, grid=16, width=96, multipliers=(1, 2, 3), blocks=3, embedding=256),
}


class Autoencoder(nn.Module):
    """Noisy picture and its amount of noise -> the way to the clean one."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.bands = Bands(shape.format, config.detail)
        height, width = self.bands.height, self.bands.width
        patch = patch_size(height, width, config.grid)
        parts = (shape.format.channels, patch, level_widths(height, width, patch, config.width, config.multipliers))
        self.config = config
        self.encoder = Encoder(*parts, config.blocks, config.embedding)
        self.decoder = Decoder(*parts, config.blocks, config.embedding)
        self.time = TimeEmbedding(config.embedding)

    def players(self) -> list[Player]:
        return [Player("denoiser", list(self.parameters()), self.loss)]

    def loss(self, batch: Batch) -> Tensor:
        time = torch.randn(len(batch), device=batch.values.device).sigmoid()
        values = self.bands.down(batch.values)
        return self.error(values, torch.randn_like(values), time)

    def validation_loss(self, batch: Batch) -> Tensor:
        """The error at fixed noise and evenly spread times."""
        time = (torch.arange(len(batch), device=batch.values.device) + 0.5) / len(batch)
        values = self.bands.down(batch.values)
        return self.error(values, fixed_noise(values), time)

    def error(self, values: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        share = time[:, None, None, None]
        return F.mse_loss(self.velocity((1 - share) * noise + share * values, time), values - noise)

    def velocity(self, values: Tensor, time: Tensor) -> Tensor:
        embedding = F.silu(self.time(time))
        return self.decoder(self.encoder(values, embedding), embedding)

    def embed(self, batch: Batch) -> Tensor:
        """Float (item, feature): the coarsest level of the clean picture, averaged over places."""
        embedding = F.silu(self.time(torch.ones(len(batch), device=batch.values.device)))
        return self.encoder(self.bands.down(batch.values), embedding)[-1].mean(dim=(2, 3))

    @torch.no_grad()
    def reconstruct(self, values: Tensor) -> Tensor:
        """Add the config's amount of (fixed) noise and take it away again, in one step."""
        amount, values = self.config.noise, self.bands.down(values)
        noisy = amount * fixed_noise(values) + (1 - amount) * values
        time = torch.full((len(values),), 1 - amount, device=values.device)
        return self.bands.up(noisy + amount * self.velocity(noisy, time)).clamp(-1, 1)


def fixed_noise(values: Tensor) -> Tensor:
    """Standard normal of the values' shape, the same at every call."""
    return torch.randn(values.shape, generator=torch.Generator().manual_seed(0)).to(values)


def build(config: Config, shape: Shape) -> Autoencoder:
    return Autoencoder(config, shape)
