"""A U-Net that is given how much noise its picture holds and predicts the way to the clean one.

`flow_matching` and `autoencoder` are this network, with and without labels, so that one can start from the other.

On pictures it predicts the velocity. Where a place has a meaning by itself, as a frequency has, it predicts the clean
item instead (Li and He 2025, "Back to basics: let denoising generative models denoise": noise does not pass through the
few channels of a wide patch, items do), and each place has its own answer to the time and the label. On 640 plucked notes,
600 steps of 32, a fifth of a minute of one core, the pitch that is asked for is heard in all samples, without either in 7 %.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from aigc_models.canvas import Sketch
from aigc_models.capabilities import Shape
from aigc_models.layers.convolutions import Decoder, Encoder, Places, TimeEmbedding, level_widths, patch_size

Pictures = Float[Tensor, "item plane height width"]
NEAR = 0.2  # an amount of noise below which errors of the item count no more than at it


class NetworkConfig(BaseModel):
    """The U-Net's size; families that start from one another have the same numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    detail: int = Field(28, description="pixels a side of what is learnt; of larger pictures the finest detail is left out")
    grid: int = Field(8, description="widest grid of the layers, in patches; larger pictures are cut into patches of 2 or 4")
    width: int = Field(24, description="channels at the finest level; a multiple of 8")
    multipliers: tuple[int, ...] = Field((1, 2, 3), description="channels at each level, in units of width")
    blocks: int = Field(1, description="residual blocks at each level, down and up")
    embedding: int = Field(64, description="length of the time and label embedding, numbers")
    tilt: float = Field(0.0, description="mean of the logit of the times in training; above 0: less noise")


class Denoiser(nn.Module):
    """Velocity from a noisy picture, its time (0: noise, 1: clean) and the embedding of its conditions."""

    def __init__(self, config: NetworkConfig, shape: Shape) -> None:
        super().__init__()
        self.sketch, self.tilt = Sketch(shape, config.detail), config.tilt
        channels, height, width = self.sketch.item
        patch = patch_size(height, width, config.grid)
        widths = level_widths(height, width, patch, config.width, config.multipliers)
        self.encoder = Encoder(channels, patch, widths, config.blocks, config.embedding)
        self.features = widths[-1]  # of its coarsest level
        self.decoder = Decoder(channels, patch, widths, config.blocks, config.embedding)
        self.time = TimeEmbedding(config.embedding)
        self.absolute = self.sketch.canvas.absolute
        if self.absolute:
            self.inner = Places(config.embedding, (widths[0], height // patch, width // patch))
            self.outer = Places(config.embedding, self.sketch.item)

    def seen(self, values: Tensor, embedding: Tensor) -> list[Tensor]:
        """What the encoder sees at each level."""
        return self.encoder(values, embedding, self.inner(embedding) if self.absolute else None)

    def velocity_of(self, values: Tensor, time: Tensor, embedding: Tensor) -> Tensor:
        """Float (item, *sketch.item), `time` (item,) in [0, 1], `embedding` (item, number) -> the velocity there."""
        output = self.decoder(self.seen(values, embedding), embedding)
        if not self.absolute:
            return output
        clean = output + self.outer(embedding)
        return (clean - values) / spread((1 - time).clamp_min(1e-3))

    def times(self, batch: Tensor) -> Tensor:
        """Random times (item,), logit-normal (Esser et al. 2024)."""
        return (torch.randn(len(batch), device=batch.device) + self.tilt).sigmoid()

    def difference(self, predicted: Tensor, velocity: Tensor, time: Tensor) -> Tensor:
        """Squared error of velocities, float (item,); of clean items, that of the last bits of noise counts less."""
        errors = (predicted - velocity).square().mean(dim=(1, 2, 3))
        return errors * ((1 - time) / (1 - time).clamp_min(NEAR)).square() if self.absolute else errors


def spread(time: Float[Tensor, " item"]) -> Float[Tensor, "item 1 1 1"]:
    """(item,) -> (item, 1, 1, 1)."""
    return time[:, None, None, None]


def move(
    noise: Pictures,
    values: Pictures,
    time: Float[Tensor, " item"],
) -> tuple[Pictures, Pictures]:
    """The point at `time` (item,) on the straight path from noise (0) to a picture (1), and the velocity there."""
    return (1 - spread(time)) * noise + spread(time) * values, values - noise


def even_times(batch: Pictures) -> Float[Tensor, " item"]:
    """Times (item,) evenly spread over the batch, the same at every call."""
    return (torch.arange(len(batch), device=batch.device) + 0.5) / len(batch)


def fixed_noise(values: Tensor, seed: int = 0) -> Tensor:
    """Standard normal of the values' shape, the same at every call."""
    return torch.randn(values.shape, generator=torch.Generator().manual_seed(seed)).to(values)


def time_of(noise: float) -> float:
    """When on the path an item, scaled down, holds noise of this standard deviation: (1 - t) / t = noise."""
    return 1 / (1 + noise)
