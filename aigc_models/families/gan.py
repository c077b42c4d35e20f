"""Class-conditional residual GAN: hinge loss (Lim and Ye 2017), zero-centred gradient penalty R1 (Mescheder et al. 2018)
taken now and then (Karras et al. 2020a), projection critic (Miyato and Koyama 2018), and pictures shifted alike
for both players, so that little data lasts longer (Zhao et al. 2020; Karras et al. 2020b).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.canvas import Sketch, painted
from aigc_models.capabilities import Player, Shape
from aigc_models.corpus import Batch
from aigc_models.layers.convolutions import Block, convolution, level_widths, norm, patch_size
from aigc_models.layers.noise import normal

MODALITIES = painted()
PLAN = {"learning_rate": 1e-3, "batch_size": 64, "ema": 0.998, "weight_decay": 0.0, "schedule": "trapezoid"}


class Config(BaseModel):
    """The size of both players, and the penalty."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    detail: int = Field(28, description="pixels a side of what is learnt; of larger pictures the finest detail is left out")
    grid: int = Field(8, description="widest grid of the layers, in patches; larger pictures are cut into patches of 2 or 4")
    width: int = Field(24, description="channels at the finest level; a multiple of 8")
    multipliers: tuple[int, ...] = Field((1, 2, 3), description="channels at each level, in units of width")
    code: int = Field(32, description="length of the noise that a picture is made from, numbers")
    embedding: int = Field(32, description="length of the label embedding, numbers")
    penalty: float = Field(1.0, description="weight of R1, the squared gradient of the critic at real pictures")
    penalty_share: float = Field(0.125, description="share of the critic's steps that take the penalty")
    shift: int = Field(1, description="farthest that pictures are shifted in training, pixels; 0 = not (spectrograms never)")


SIZES = {
    "debug": Config(width=8, multipliers=(1, 2), code=8, embedding=8),
    "small": Config(),
    "base": Config(detail=64, grid=16, width=48, code=64, embedding=64),
    "large": Config(detail=128, grid=16, width=96, code=128, embedding=128),
}


class Generator(nn.Module):
    """Code (item, code) and condition (item,) -> picture."""

    def __init__(
        self, channels: int, patch: int, widths: list[int], grid: tuple[int, int], config: Config, labels: int
    ) -> None:
        super().__init__()
        self.patch, self.start = patch, (widths[-1], *grid)
        self.label = nn.Embedding(labels, config.embedding)
        inputs = config.code + config.embedding
        self.spread = nn.Linear(inputs, math.prod(self.start))
        wide = [widths[-1], *widths[:0:-1]]
        self.blocks = nn.ModuleList(Block(*pair, inputs) for pair in zip(wide, widths[::-1], strict=True))
        self.head = nn.Sequential(norm(widths[0]), nn.SiLU(), convolution(widths[0], channels * patch**2))

    def forward(self, code: Tensor, conditions: Tensor) -> Tensor:
        inputs = torch.cat([code, self.label(conditions)], dim=1)
        hidden = self.spread(inputs).reshape(-1, *self.start)
        for number, block in enumerate(self.blocks):
            hidden = F.interpolate(hidden, scale_factor=2.0, mode="nearest") if number else hidden
            hidden = block(hidden, inputs)
        return F.pixel_shuffle(self.head(hidden), self.patch).tanh()


class CriticBlock(nn.Module):
    """Residual block without normalisation, halving the grid if asked."""

    def __init__(self, inside: int, outside: int, halve: bool) -> None:
        super().__init__()
        self.halve = halve
        self.layers = nn.Sequential(
            nn.LeakyReLU(0.2), convolution(inside, outside), nn.LeakyReLU(0.2), convolution(outside, outside)
        )
        self.skip = nn.Conv2d(inside, outside, 1, bias=False)

    def forward(self, values: Tensor) -> Tensor:
        values = F.avg_pool2d(values, 2) if self.halve else values
        return (self.skip(values) + self.layers(values)) / math.sqrt(2)


class Critic(nn.Module):
    """Picture and condition -> how real it looks, float (item,)."""

    def __init__(self, channels: int, patch: int, widths: list[int], grid: tuple[int, int], labels: int) -> None:
        super().__init__()
        before = [widths[0], *widths[:-1]]
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(patch),
            convolution(channels * patch**2, widths[0]),
            *(CriticBlock(*pair, halve=number > 0) for number, pair in enumerate(zip(before, widths, strict=True))),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(widths[-1] * math.prod(grid), 2 * widths[-1]),
            nn.LeakyReLU(0.2),
        )
        self.head = nn.Linear(2 * widths[-1], 1)
        self.label = nn.Embedding(labels, 2 * widths[-1])
        nn.init.normal_(self.label.weight, std=1 / math.sqrt(2 * widths[-1]))

    def forward(self, values: Tensor, conditions: Tensor) -> Tensor:
        features = self.layers(values)
        return self.head(features)[:, 0] + (features * self.label(conditions)).sum(1)


class Gan(nn.Module):
    """A generator and the critic that it learns from."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.sketch = Sketch(shape, config.detail)
        channels, height, width = self.sketch.item
        patch = patch_size(height, width, config.grid)
        widths = level_widths(height, width, patch, config.width, config.multipliers)
        shrink = patch * 2 ** (len(widths) - 1)
        grid = (height // shrink, width // shrink)
        self.config = config
        self.shift = 0 if self.sketch.canvas.absolute else config.shift
        self.generator = Generator(channels, patch, widths, grid, config, shape.conditions)
        self.critic = Critic(channels, patch, widths, grid, shape.conditions)

    def players(self) -> list[Player]:
        return [
            Player("critic", list(self.critic.parameters()), self.critic_loss, learning_rate=2.0, betas=(0.0, 0.99)),
            Player("generator", list(self.generator.parameters()), self.generator_loss, betas=(0.0, 0.99)),
        ]

    def draw(self, conditions: Tensor) -> Tensor:
        """Pictures at the size that is learnt."""
        code = torch.randn(len(conditions), self.config.code, device=conditions.device)
        return self.generator(code, conditions)

    def critic_loss(self, batch: Batch) -> Tensor:
        """Hinge on real and generated pictures, and at random steps the penalty, weighted up for the steps without it."""
        batch = Batch(self.sketch.of(batch.values), batch.conditions)
        with torch.no_grad():
            false = self.draw(batch.conditions)
        real, fake = self.judge(batch.values, batch.conditions), self.judge(false, batch.conditions)
        loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        if float(torch.rand(())) < self.config.penalty_share:
            loss = loss + self.steepness(batch) * self.config.penalty / (2 * self.config.penalty_share)
        return loss

    def generator_loss(self, batch: Batch) -> Tensor:
        return -self.judge(self.draw(batch.conditions), batch.conditions).mean()

    def judge(self, values: Tensor, conditions: Tensor) -> Tensor:
        return self.critic(shifted(values, self.shift), conditions)

    def steepness(self, batch: Batch) -> Tensor:
        """R1: mean squared length of the critic's gradient at real pictures."""
        values = batch.values.detach().requires_grad_(True)
        scores = self.critic(values, batch.conditions).sum()
        (gradient,) = torch.autograd.grad(scores, values, create_graph=True)
        return gradient.square().sum(dim=(1, 2, 3)).mean()

    @torch.no_grad()
    def generate(
        self, conditions: Int[Tensor, " item"], seeds: Int[Tensor, " item"], **sampling: Any
    ) -> Float[Tensor, "item channel *space"]:
        """Float (item, channel, *space) in [-1, 1]; `temperature` scales the noise, 1 = as trained."""
        code = float(sampling.get("temperature", 1.0)) * normal(seeds, (self.config.code,))
        device = self.generator.label.weight.device
        return self.sketch.back(self.generator(code.to(device), conditions.to(device))).to(conditions.device)


def shifted(values: Tensor, most: int) -> Tensor:
    """Each picture moved by up to `most` pixels, its border repeated; differentiable."""
    if not most:
        return values
    count, _, height, width = values.shape
    padded = F.pad(values, (most,) * 4, mode="replicate")
    down, right = torch.randint(0, 2 * most + 1, (2, count), device=values.device)
    rows = (down[:, None] + torch.arange(height, device=values.device))[:, None, :, None]
    columns = (right[:, None] + torch.arange(width, device=values.device))[:, None, None, :]
    items = torch.arange(count, device=values.device)[:, None, None, None]
    channels = torch.arange(values.shape[1], device=values.device)[None, :, None, None]
    return padded[items, channels, rows, columns]


def build(config: Config, shape: Shape) -> Gan:
    return Gan(config, shape)
