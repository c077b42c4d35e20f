"""Convolutional layers that the image families share: residual blocks, an encoder and a decoder that make a U-Net.

A picture that is wider than the grid asked for is first cut into patches of 2x2 or 4x4 (moved into the channels), so
that the work stays bearable on a CPU. Families that name their parts `encoder`, `decoder` and `time` can start from
one another's weights.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

GRID = 16  # widest grid, in patches, that the layers work on, where nothing else is asked for
LEAST = 8  # patches a side that a grid keeps

Vectors = Float[Tensor, "item size"]


def patch_size(height: int, width: int, grid: int = GRID) -> int:
    """The smallest patch of 1, 2 or 4 pixels that brings the picture down to `grid`, or else the largest that divides it."""
    divides = (patch for patch in (1, 2, 4) if height % patch == 0 and width % patch == 0)
    fitting = [patch for patch in divides if patch == 1 or min(height, width) >= LEAST * patch]
    return next((patch for patch in fitting if max(height, width) <= grid * patch), fitting[-1])


def halvings(height: int, width: int, most: int, least: int = 4) -> int:
    """How often a grid of height x width can be halved, staying at `least` or more, at most `most` times."""
    count = 0
    while count < most and height % 2 == 0 and width % 2 == 0 and min(height, width) >= 2 * least:
        height, width, count = height // 2, width // 2, count + 1
    return count


def convolution(inside: int, outside: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, 3, stride, padding=1)


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(8, channels), channels)


def zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    """Starts at zero, so that a residual block starts as the identity (Fixup, Zhang et al. 2019)."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


class TimeEmbedding(nn.Module):
    """Time in [0, 1] as a vector: sinusoids (Vaswani et al. 2017) and two layers."""

    rates: Tensor

    def __init__(self, size: int, frequencies: int = 32) -> None:
        super().__init__()
        self.register_buffer("rates", torch.exp(torch.linspace(0.0, math.log(1000.0), frequencies // 2)), persistent=False)
        self.layers = nn.Sequential(nn.Linear(frequencies, size), nn.SiLU(), nn.Linear(size, size))

    def forward(self, time: Float[Tensor, " item"]) -> Vectors:
        angles = time[:, None] * self.rates
        return self.layers(torch.cat([angles.sin(), angles.cos()], dim=1))


class Block(nn.Module):
    """Residual block (He et al. 2016) scaled and shifted by an embedding (FiLM, Perez et al. 2018)."""

    def __init__(self, inside: int, outside: int, embedding: int) -> None:
        super().__init__()
        self.first = nn.Sequential(norm(inside), nn.SiLU(), convolution(inside, outside))
        self.modulation = nn.Linear(embedding, 2 * outside)
        self.norm = norm(outside)
        self.second = zeroed(convolution(outside, outside))
        self.skip = nn.Identity() if inside == outside else nn.Conv2d(inside, outside, 1)

    def forward(
        self, values: Float[Tensor, "item inside height width"], embedding: Vectors
    ) -> Float[Tensor, "item outside height width"]:
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, dim=1)
        hidden = self.norm(self.first(values)) * (1 + scale) + shift
        return self.skip(values) + self.second(F.silu(hidden))


class Stage(nn.ModuleList):
    """`blocks` residual blocks at one level, the first of which changes the channels."""

    def __init__(self, inside: int, outside: int, embedding: int, blocks: int) -> None:
        super().__init__(Block(outside if number else inside, outside, embedding) for number in range(blocks))

    def forward(
        self, values: Float[Tensor, "item inside height width"], embedding: Vectors
    ) -> Float[Tensor, "item outside height width"]:
        for block in self:
            values = block(values, embedding)
        return values


class Places(nn.Module):
    """What each place adds by itself for an embedding; zero at first."""

    def __init__(self, size: int, item: tuple[int, int, int]) -> None:
        super().__init__()
        self.item, self.layer = item, nn.Linear(size, math.prod(item))
        nn.init.zeros_(self.layer.weight)
        nn.init.zeros_(self.layer.bias)

    def forward(self, embedding: Vectors) -> Float[Tensor, "item channel height width"]:
        return self.layer(embedding).reshape(-1, *self.item)


class Encoder(nn.Module):
    """Picture -> what the blocks saw at each level, finest first, the coarsest last."""

    def __init__(self, channels: int, patch: int, widths: list[int], blocks: int, embedding: int) -> None:
        super().__init__()
        self.patch = patch
        self.stem = convolution(channels * patch**2, widths[0])
        before = [widths[0], *widths[:-1]]
        self.down = nn.ModuleList(
            [nn.Identity(), *(convolution(inside, inside, stride=2) for inside in widths[:-1])],
        )
        self.blocks = nn.ModuleList(
            Stage(inside, outside, embedding, blocks) for inside, outside in zip(before, widths, strict=True)
        )

    def forward(
        self,
        values: Float[Tensor, "item channel height width"],
        embedding: Vectors,
        places: Float[Tensor, "item first rows columns"] | None = None,
    ) -> list[Float[Tensor, "item _channel _rows _columns"]]:
        """`places`, of as many rows and columns as there are patches, is added to what the blocks see first."""
        hidden, seen = self.stem(F.pixel_unshuffle(values, self.patch)), []
        hidden = hidden if places is None else hidden + places
        for down, stage in zip(self.down, self.blocks, strict=True):
            hidden = stage(down(hidden), embedding)
            seen.append(hidden)
        return seen


class Decoder(nn.Module):
    """The encoder's levels, coarsest first, back to a picture (U-Net, Ronneberger et al. 2015)."""

    def __init__(self, channels: int, patch: int, widths: list[int], blocks: int, embedding: int) -> None:
        super().__init__()
        self.patch = patch
        self.middle = Block(widths[-1], widths[-1], embedding)
        wide = [widths[-1], *widths[:0:-1]]
        self.blocks = nn.ModuleList(
            Stage(inside + outside, outside, embedding, blocks) for inside, outside in zip(wide, widths[::-1], strict=True)
        )
        self.head = nn.Sequential(norm(widths[0]), nn.SiLU(), zeroed(convolution(widths[0], channels * patch**2)))

    def forward(
        self, seen: list[Float[Tensor, "item _channel _rows _columns"]], embedding: Vectors
    ) -> Float[Tensor, "item channel height width"]:
        hidden = self.middle(seen[-1], embedding)
        for skip, stage in zip(reversed(seen), self.blocks, strict=True):
            if skip.shape[-1] != hidden.shape[-1]:
                hidden = F.interpolate(hidden, scale_factor=2.0, mode="nearest")
            hidden = stage(torch.cat([hidden, skip], dim=1), embedding)
        return F.pixel_shuffle(self.head(hidden), self.patch)


def level_widths(height: int, width: int, patch: int, base: int, multipliers: tuple[int, ...]) -> list[int]:
    """Channels at each level that a picture of height x width pixels, cut into patches, has room for.

    The coarsest level keeps 4 pixels a side, as patches if need be: the 2x2 level of patches costs little and sees all.
    """
    least = 4 if patch == 1 else 2
    levels = 1 + halvings(height // patch, width // patch, len(multipliers) - 1, least)
    return [base * factor for factor in multipliers[:levels]]
