"""Randomness that belongs to an item: each draw depends on the item's own seed, never on the batch it rode in."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

SPREAD = 0x1E3779B97F4A7C15  # far apart in 63 bits, so that neighbouring seeds do not meet in another stream


def generators(seeds: Tensor, stream: int = 0) -> list[torch.Generator]:
    """A fresh CPU generator for each seed of int64 (item,); draws that must not be related use different streams."""
    apart = (stream * SPREAD) % 2**63
    return [torch.Generator().manual_seed(int(seed) ^ apart) for seed in seeds]


def normal(seeds: Tensor, shape: Sequence[int], stream: int = 0) -> Tensor:
    """Standard normal float32 (item, *shape), row i from seed i alone."""
    return torch.stack([torch.randn(tuple(shape), generator=generator) for generator in generators(seeds, stream)])


def uniform(seeds: Tensor, count: int = 1, stream: int = 0) -> Tensor:
    """Uniform float32 (item, count) in [0, 1), row i from seed i alone."""
    return torch.stack([torch.rand(count, generator=generator) for generator in generators(seeds, stream)])


def choose(shares: Tensor, draws: Tensor) -> Tensor:
    """The index int64 (item,) that a uniform draw (item,) picks from shares (item, choice) that sum to one."""
    above = torch.searchsorted(shares.cumsum(1).contiguous(), draws[:, None].contiguous(), right=True)[:, 0]
    return above.clamp_max(shares.shape[1] - 1)
