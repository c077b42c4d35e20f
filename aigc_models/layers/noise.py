"""Randomness that belongs to an item: each draw depends on the item's own seed, never on the batch it rode in.

The generator is counter-based (Philox, Salmon et al. 2011), keyed by the 64 bits of the seed and by the stream.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from aigc_models.errors import BadInput

# What a draw is for: two draws of an item that must not be related use different streams.
NOISE, PART, PICK, MEMBER, SYMBOLS, STEPS = range(6)
ITEM, LABEL = 0, 1  # what a derived seed is for
TURN = np.float32(2 * math.pi)


def derived(seed: int, item: int, purpose: int = ITEM) -> int:
    """The 63-bit seed of item `item` (from 0) under the base seed: numpy's `SeedSequence([seed, item, purpose])`.

    It depends on nothing else, so item 3 of seed 7 is the same whether 4 or 4,000 items are asked for.
    """
    if seed < 0:
        raise BadInput(f"seed {seed} is negative; give 0 or more")
    return int(np.random.SeedSequence([seed, item, purpose]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def item_seeds(seed: int, count: int, first: int = 0) -> Int[Tensor, " item"]:
    """The seeds, int64, of items `first` to `first + count - 1` under the base seed."""
    return torch.tensor([derived(seed, item) for item in range(first, first + count)], dtype=torch.int64)


def generators(seeds: Int[Tensor, " item"], stream: int = NOISE) -> Iterator[np.random.Generator]:
    """For each seed a generator at the beginning of the stream, to be used before the next one is asked for.

    It is one generator that is wound back, since making one takes ten times as long.
    """
    philox = np.random.Philox(key=np.array([0, stream], dtype=np.uint64))
    generator, start = np.random.Generator(philox), philox.state
    for seed in seeds.cpu().long().numpy().view(np.uint64):
        start["state"]["key"][0] = seed
        philox.state = start
        yield generator


def uniform(
    seeds: Int[Tensor, " item"], count: int = 1, stream: int = PART, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "item draw"]:
    """`count` draws an item from [0, 1), float32 or float64, row i from seed i alone."""
    draws = torch.empty(len(seeds), count, dtype=dtype)
    for row, generator in zip(draws.numpy(), generators(seeds, stream), strict=True):
        generator.random(dtype=row.dtype, out=row)
    return draws


def normal(seeds: Int[Tensor, " item"], shape: Sequence[int], stream: int = NOISE) -> Float[Tensor, " item *shape"]:
    """Standard normal float32, row i from seed i alone."""
    size = math.prod(shape)
    draws = uniform(seeds, size + size % 2, stream)
    for row in draws.numpy():
        _to_normal(row)
    return draws[:, :size].reshape(len(seeds), *shape)


def _to_normal(row: np.ndarray) -> None:
    """Uniform draws, an even number of them, as normal ones in place (Box and Muller 1958); faster than rejection.

    Row by row: where a number lies in a larger array may decide how its cosine is rounded.
    """
    half = len(row) // 2
    radius, angle = np.sqrt(-2 * np.log(1 - row[:half])), row[half:] * TURN
    np.multiply(radius, np.cos(angle), out=row[:half])
    np.multiply(radius, np.sin(angle), out=row[half:])


def choose(shares: Float[Tensor, "item choice"], draws: Float[Tensor, " item"]) -> Int[Tensor, " item"]:
    """The index that a uniform draw picks from shares that sum to one."""
    above = torch.searchsorted(shares.cumsum(1).contiguous(), draws[:, None].contiguous(), right=True)[:, 0]
    return above.clamp_max(shares.shape[1] - 1)
