"""Layers of the language models: embeddings of n-grams, rotary attention, pre-norm blocks."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.sequences import PAD, Vocabulary

MULTIPLIER, MODULUS = 1_000_003, 2**31 - 1  # of the n-gram hash

Hidden = Float[Tensor, "item time width"]
Heads = Float[Tensor, "item head time channel"]
Symbols = Int[Tensor, "item time"]
Mask = Bool[Tensor, "*row query time"]  # True where a query may attend to a position


class Cache(NamedTuple):
    """What a layer keeps of the past: rotated keys and values, never changed in place."""

    keys: Heads
    values: Heads


class Rotation(NamedTuple):
    """Rotary positions (Su et al. 2021, section 3.4.2), made once for all layers."""

    cos: Float[Tensor, "time half"]
    sin: Float[Tensor, "time half"]

    @classmethod
    def of(cls, first: int, time: int, channels: int, like: Tensor) -> Rotation:
        """Of the positions from `first` on; angles in double precision, since a book has many."""
        half = channels // 2
        rate = 10_000.0 ** -(torch.arange(half, device=like.device, dtype=torch.float64) / half)
        angle = torch.arange(first, first + time, device=like.device, dtype=torch.float64)[:, None] * rate
        return cls(angle.cos().to(like.dtype), angle.sin().to(like.dtype))

    def __call__(self, x: Heads) -> Heads:
        left, right = x.chunk(2, dim=-1)
        return torch.cat([left * self.cos - right * self.sin, left * self.sin + right * self.cos], dim=-1)


def band(time: int, past: int, window: int, device: torch.device) -> Bool[Tensor, "time all"]:
    """True where one of `time` positions that follow `past` ones may see a position: `window` of them, its own the last."""
    age = torch.arange(past, past + time, device=device)[:, None] - torch.arange(past + time, device=device)
    return (age >= 0) & (age < window)


class GramEmbedding(nn.Module):
    """Embedding of a symbol plus those of the n-grams that end with it, hashed (Pagnoni et al. 2024, section 3.2.1).

    A short training learns far more with it, since the frequent n-grams need not be put together first.
    """

    def __init__(self, vocabulary: Vocabulary, width: int, longest: int, buckets: int) -> None:
        super().__init__()
        self.vocabulary, self.longest, self.buckets = vocabulary, longest, buckets
        self.symbols = nn.Embedding(vocabulary.inputs, width)
        # few rows have a gradient in a step, and an n-gram that was never met must not be noise
        self.grams = nn.Embedding(buckets * (longest - 1), width, sparse=True) if longest > 1 else None
        nn.init.normal_(self.symbols.weight, std=0.5)
        if self.grams is not None:
            nn.init.zeros_(self.grams.weight)

    def forward(self, tokens: Symbols) -> Hidden:
        """An n-gram does not reach past an END, which stands before an item."""
        end, blank = self.vocabulary.end, self.vocabulary.blank
        tokens = torch.where(tokens == PAD, blank, tokens)
        x, before, key, rows = self.symbols(tokens), tokens, tokens, list[Tensor]()
        for length in range(2, self.longest + 1):
            earlier = F.pad(tokens[:, : 1 - length], (min(length - 1, tokens.shape[1]), 0), value=blank)
            before = torch.where((before == end) | (before == blank), blank, earlier)
            key = (key * MULTIPLIER + before + 1) % MODULUS
            rows.append(key % self.buckets + (length - 2) * self.buckets)
        return x if self.grams is None else x + self.grams(torch.stack(rows, dim=-1)).sum(dim=-2)

    def after(self, recent: Int[Tensor, "item past"], tokens: Symbols) -> tuple[Hidden, Int[Tensor, "item past"]]:
        """Of `tokens` that follow the symbols `recent`, and what is recent then."""
        whole = torch.cat([recent, tokens], dim=1)
        return self(whole)[:, recent.shape[1] :], whole[:, whole.shape[1] - recent.shape[1] :]

    def none_yet(self, items: int) -> Int[Tensor, "item past"]:
        """What is `recent` before the first symbol: no symbols."""
        return torch.full((items, self.longest - 1), PAD, device=self.symbols.weight.device)


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, section 3.2) with rotary positions."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def split(self, x: Hidden) -> tuple[Heads, Heads, Heads]:
        """Query, key and value."""
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return query, key, value

    def forward(self, x: Hidden, rotation: Rotation, mask: Mask | None, causal: bool) -> Hidden:
        query, key, value = self.split(x)
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(rotation(query), rotation(key), value, mask, dropout, is_causal=causal)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def after(self, x: Hidden, cache: Cache, rotation: Rotation, mask: Mask | None) -> tuple[Hidden, Cache]:
        """Positions that follow those of `cache`."""
        query, key, value = self.split(x)
        cache = Cache(torch.cat([cache.keys, rotation(key)], dim=2), torch.cat([cache.values, value], dim=2))
        mixed = F.scaled_dot_product_attention(rotation(query), cache.keys, cache.values, mask)
        return self.out(mixed.transpose(1, 2).flatten(2)), cache

    def nothing(self, items: int) -> Cache:
        """The cache before the first position."""
        empty = self.qkv.weight.new_zeros(items, self.heads, 0, self.out.weight.shape[0] // self.heads)
        return Cache(empty, empty)


class Block(nn.Module):
    """Pre-norm block: attention, then SwiGLU (Shazeer 2020), each behind an RMSNorm and added on."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        inner = (8 * width // 3 + 15) // 16 * 16
        self.norm_attention, self.norm_inner = nn.RMSNorm(width), nn.RMSNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.gate_up = nn.Linear(width, 2 * inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Hidden, rotation: Rotation, mask: Mask | None, causal: bool) -> Hidden:
        x = x + self.dropout(self.attention(self.norm_attention(x), rotation, mask, causal))
        return x + self.dropout(self.inner(x))

    def after(self, x: Hidden, cache: Cache, rotation: Rotation, mask: Mask | None) -> tuple[Hidden, Cache]:
        """Positions that follow those of `cache`."""
        mixed, cache = self.attention.after(self.norm_attention(x), cache, rotation, mask)
        x = x + mixed
        return x + self.inner(x), cache

    def inner(self, x: Hidden) -> Hidden:
        gate, up = self.gate_up(self.norm_inner(x)).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


def initialise(model: nn.Module, layers: int) -> None:
    """Normal weights: embeddings small, since they are the head's too; matrices by their width.

    What is added to the residual stream is scaled down with depth (GPT-2).
    """
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2 or name.endswith("grams.weight"):
            continue
        width = parameter.shape[0] if name.endswith("down.weight") else parameter.shape[1]
        spread = 0.8 / width**0.5 if name.startswith("blocks.") else 0.02
        last = name.endswith(("attention.out.weight", "down.weight"))
        nn.init.normal_(parameter, std=spread / (2 * layers) ** 0.5 if last else spread)
