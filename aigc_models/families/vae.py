"""Class-conditional variational autoencoder (Kingma and Welling 2014) with two remedies for its blur.

The decoder's noise level is the best one for each batch (sigma-VAE, Rybkin et al. 2021), and the codes of each label
follow a learned mixture of Gaussians instead of one standard normal (as in the mixture prior that Tomczak and Welling
2018 compare with). Starts from `autoencoder`: its encoder and time embedding.
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
from aigc_models.layers.convolutions import Encoder, Places, Stage, TimeEmbedding, convolution, level_widths, norm, patch_size
from aigc_models.layers.noise import choose, normal, uniform

MODALITIES = painted()
BODY = "autoencoder"
PLAN = {"learning_rate": 2e-3, "batch_size": 64, "ema": 0.998, "weight_decay": 0.01}


class Config(BaseModel):
    """The sizes of the encoder (as in `autoencoder`, from which it can start), of the code and of the decoder."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    detail: int = Field(28, description="pixels a side of what is learnt; of larger pictures the finest detail is left out")
    grid: int = Field(8, description="widest grid of the layers, in patches; larger pictures are cut into patches of 2 or 4")
    width: int = Field(24, description="channels at the finest level; a multiple of 8")
    multipliers: tuple[int, ...] = Field((1, 2, 3), description="channels at each level, in units of width")
    blocks: int = Field(1, description="residual blocks at each level, down and up")
    embedding: int = Field(64, description="length of the time and label embedding, numbers")
    code: int = Field(24, description="length of the code of a picture, numbers")
    parts: int = Field(4, description="Gaussians in each label's distribution of codes")
    null_share: float = Field(0.1, description="share of training items whose label is hidden, to work without one")
    temperature: float = Field(1.0, description="spread of the codes when generating, 1 = as learned")


SIZES = {
    "debug": Config(width=8, multipliers=(1, 2), embedding=16, code=8),
    "small": Config(),
    "base": Config(detail=64, grid=16, width=48, multipliers=(1, 2, 3), blocks=2, embedding=128, code=64),
    "large": Config(detail=128, grid=16, width=96, multipliers=(1, 2, 3), blocks=3, embedding=256, code=128),
}


class CodeDecoder(nn.Module):
    """Code and embedding -> picture, coarsest level first."""

    def __init__(self, sketch: Sketch, patch: int, widths: list[int], grid: tuple[int, int], config: Config) -> None:
        super().__init__()
        self.patch, self.start = patch, (widths[-1], *grid)
        channels = sketch.item[0]
        inputs = config.code + config.embedding
        self.spread = nn.Linear(inputs, math.prod(self.start))
        wide = [widths[-1], *widths[:0:-1]]
        self.blocks = nn.ModuleList(
            Stage(inside, outside, inputs, config.blocks) for inside, outside in zip(wide, widths[::-1], strict=True)
        )
        self.head = nn.Sequential(norm(widths[0]), nn.SiLU(), convolution(widths[0], channels * patch**2))
        self.outer = Places(inputs, sketch.item) if sketch.canvas.absolute else None

    def forward(self, code: Tensor, embedding: Tensor) -> Tensor:
        inputs = torch.cat([code, embedding], dim=1)
        hidden = self.spread(inputs).reshape(-1, *self.start)
        for number, stage in enumerate(self.blocks):
            hidden = F.interpolate(hidden, scale_factor=2.0, mode="nearest") if number else hidden
            hidden = stage(hidden, inputs)
        picture = F.pixel_shuffle(self.head(hidden), self.patch)
        return (picture if self.outer is None else picture + self.outer(inputs)).tanh()


class Prior(nn.Module):
    """A mixture of Gaussians with diagonal covariance for each condition, over codes."""

    def __init__(self, conditions: int, parts: int, code: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(conditions, parts))
        self.means = nn.Parameter(0.5 * torch.randn(conditions, parts, code))
        self.log_scales = nn.Parameter(torch.zeros(conditions, parts, code))

    def log_density(self, code: Tensor, conditions: Tensor) -> Tensor:
        """Nats, float (item,)."""
        scales = self.log_scales[conditions].clamp(-4, 2)
        parts = gaussian(code[:, None], self.means[conditions], scales)
        return torch.logsumexp(parts + self.logits[conditions].log_softmax(1), dim=1)

    def draw(self, conditions: Tensor, seeds: Tensor, temperature: float) -> Tensor:
        """Codes float (item, code), row i from seed i alone."""
        shares = self.logits[conditions].softmax(1)
        part = choose(shares, uniform(seeds)[:, 0].to(shares.device))
        noise = normal(seeds, self.means.shape[2:]).to(shares.device)
        scales = self.log_scales[conditions, part].clamp(-4, 2).exp()
        return self.means[conditions, part] + temperature * scales * noise


def gaussian(code: Tensor, mean: Tensor, log_scale: Tensor) -> Tensor:
    """Log-density in nats of independent Gaussians, summed over the last dimension."""
    squares = ((code - mean) * (-log_scale).exp()).square()
    return (-0.5 * squares - log_scale - 0.5 * math.log(2 * math.pi)).sum(-1)


class Vae(nn.Module):
    """Picture -> code -> picture, the code's distribution kept near a learned one for each label."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.sketch = Sketch(shape, config.detail)
        channels, height, width = self.sketch.item
        patch = patch_size(height, width, config.grid)
        widths = level_widths(height, width, patch, config.width, config.multipliers)
        shrink = patch * 2 ** (len(widths) - 1)
        grid = (height // shrink, width // shrink)
        self.config, self.pixels = config, channels * height * width
        self.encoder = Encoder(channels, patch, widths, config.blocks, config.embedding)
        self.time = TimeEmbedding(config.embedding)
        self.label = nn.Embedding(shape.conditions, config.embedding)
        self.posterior = nn.Linear(widths[-1] * math.prod(grid), 2 * config.code)
        self.generator = CodeDecoder(self.sketch, patch, widths, grid, config)
        self.prior = Prior(shape.conditions, config.parts, config.code)

    def posterior_of(self, values: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance (item, code); the picture counts as free of noise (time 1 of `autoencoder`)."""
        time = torch.ones(len(values), device=values.device)
        hidden = self.encoder(self.sketch.of(values), F.silu(self.time(time) + self.label(conditions)))[-1]
        mean, log_variance = self.posterior(F.silu(hidden).flatten(1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 6)

    def decode(self, code: Tensor, conditions: Tensor) -> Tensor:
        """The picture, at the size that is learnt."""
        return self.generator(code, self.label(conditions))

    def players(self) -> list[Player]:
        return [Player("bound", list(self.parameters()), self.loss)]

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """The bound at fresh noise; some labels are hidden."""
        hidden = torch.rand(len(batch), device=batch.conditions.device) < self.config.null_share
        conditions = torch.where(hidden, self.label.num_embeddings - 1, batch.conditions)
        return self.bound(Batch(batch.values, conditions), torch.randn(len(batch), self.config.code).to(batch.values))

    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """The bound at fixed noise."""
        noise = torch.randn(len(batch), self.config.code, generator=torch.Generator().manual_seed(0))
        return self.bound(batch, noise.to(batch.values))

    def bound(self, batch: Batch, noise: Tensor) -> Tensor:
        """Nats a pixel: Gaussian error at its best noise level, and the divergence from the label's codes, by one draw."""
        mean, log_variance = self.posterior_of(batch.values, batch.conditions)
        code = mean + (0.5 * log_variance).exp() * noise
        error = F.mse_loss(self.decode(code, batch.conditions), self.sketch.of(batch.values))
        divergence = gaussian(code, mean, 0.5 * log_variance) - self.prior.log_density(code, batch.conditions)
        return 0.5 * torch.log(error + 1e-6) + divergence.mean() / self.pixels

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]:
        """The mean code, float (item, code)."""
        return self.posterior_of(batch.values, batch.conditions)[0]

    @torch.no_grad()
    def classify(self, batch: Batch) -> Float[Tensor, "item label"]:
        """Float (item, label): the bound in nats under each label, at the mean code and the item's best noise level."""
        values, scores = self.sketch.of(batch.values), []
        for label in range(self.label.num_embeddings - 1):
            conditions = torch.full_like(batch.conditions, label)
            code, log_variance = self.posterior_of(batch.values, conditions)
            errors = (self.decode(code, conditions) - values).square().mean(dim=(1, 2, 3))
            divergence = gaussian(code, code, 0.5 * log_variance) - self.prior.log_density(code, conditions)
            scores.append(-0.5 * self.pixels * torch.log(errors + 1e-6) - divergence)
        return torch.stack(scores, dim=1) if scores else values.new_zeros(len(batch), 0)

    @torch.no_grad()
    def reconstruct(self, values: Float[Tensor, "item channel *space"]) -> Float[Tensor, "item channel *space"]:
        """Through the mean code and back, without a label."""
        nothing = torch.full((len(values),), self.label.num_embeddings - 1, device=values.device)
        return self.sketch.back(self.decode(self.posterior_of(values, nothing)[0], nothing))

    @torch.no_grad()
    def generate(
        self, conditions: Int[Tensor, " item"], seeds: Int[Tensor, " item"], **sampling: Any
    ) -> Float[Tensor, "item channel *space"]:
        """Float (item, channel, *space) in [-1, 1]. `temperature`: see `Config`."""
        temperature = float(sampling.get("temperature", self.config.temperature))
        placed = conditions.to(self.label.weight.device)
        return self.sketch.back(self.decode(self.prior.draw(placed, seeds, temperature), placed)).to(conditions.device)


def build(config: Config, shape: Shape) -> Vae:
    return Vae(config, shape)
