"""Layers of the text families: rotary attention, pre-norm blocks, and items packed into rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.corpus import Batch
from aigc_models.modalities.text import INPUTS, OUTPUTS, PAD, START

MULTIPLIER, MODULUS = 1_000_003, 2**31 - 1  # of the n-gram hash

Hidden = Float[Tensor, "item time width"]
Heads = Float[Tensor, "item head time channel"]
Symbols = Int[Tensor, "item time"]
Logits = Callable[[Symbols, Int[Tensor, " item"]], Float[Tensor, "item time symbol"]]  # of inputs and conditions
Mask = Bool[Tensor, "*row query time"]  # True where a query may attend to a position; a single query stands for all


class Cache(NamedTuple):
    """What a layer keeps of the past: rotated keys and values, never changed in place."""

    keys: Heads
    values: Heads
    position: int  # of the last symbol


def rotate(x: Heads, offset: int = 0) -> Heads:
    """Rotary positions from `offset` on (Su et al. 2021, section 3.4.2)."""
    half = x.shape[-1] // 2
    rate = 10_000.0 ** -(torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angle = torch.arange(offset, offset + x.shape[-2], device=x.device, dtype=torch.float32)[:, None] * rate
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    left, right = x[..., :half], x[..., half:]
    return torch.cat([left * cos - right * sin, left * sin + right * cos], dim=-1)


def band(time: int, window: int, device: torch.device) -> Bool[Tensor, "time time"]:
    """True where position i may see position j: at most `window` positions, its own the last."""
    age = torch.arange(time, device=device)[:, None] - torch.arange(time, device=device)
    return (age >= 0) & (age < window)


class GramEmbedding(nn.Module):
    """Embedding of a symbol plus those of the n-grams that end with it, hashed (Pagnoni et al. 2024, section 3.2.1).

    A short training learns far more with it, since the frequent n-grams need not be put together first.
    """

    def __init__(self, width: int, longest: int, buckets: int) -> None:
        super().__init__()
        self.longest, self.buckets = longest, buckets
        self.symbols = nn.Embedding(INPUTS, width)
        self.grams = nn.Embedding(buckets * (longest - 1), width) if longest > 1 else None
        nn.init.normal_(self.symbols.weight, std=0.5)
        if self.grams is not None:
            nn.init.normal_(self.grams.weight, std=0.05)  # an n-gram that was never met must not be noise

    def forward(self, tokens: Symbols) -> Hidden:
        """An n-gram does not reach past a START."""
        x, before, key = self.symbols(tokens), tokens, tokens
        for length in range(2, self.longest + 1):
            earlier = F.pad(tokens[:, : 1 - length], (min(length - 1, tokens.shape[1]), 0), value=PAD)
            before = torch.where((before == START) | (before == PAD), PAD, earlier)
            key = (key * MULTIPLIER + before + 1) % MODULUS
            if self.grams is not None:
                x = x + self.grams(key % self.buckets + (length - 2) * self.buckets)
        return x

    def last(self, recent: Int[Tensor, "item longest"]) -> Float[Tensor, "item width"]:
        """The embedding of the last of `recent`."""
        return self(recent)[:, -1]

    def none_yet(self, items: int) -> Int[Tensor, "item longest"]:
        """What `last` is given before the first symbol: all padding."""
        return torch.full((items, self.longest), PAD, device=self.symbols.weight.device)


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

    def forward(self, x: Hidden, mask: Mask | None, causal: bool) -> Hidden:
        query, key, value = self.split(x)
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(rotate(query), rotate(key), value, mask, dropout, is_causal=causal)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def step(
        self, x: Float[Tensor, "item 1 width"], cache: Cache | None, window: int
    ) -> tuple[Float[Tensor, "item 1 width"], Cache]:
        """One position after those of `cache`, of which the last `window - 1` are seen."""
        query, key, value = self.split(x)
        position = 0 if cache is None else cache.position + 1
        query, key = rotate(query, position), rotate(key, position)
        if cache is not None:
            key = torch.cat([cache.keys[:, :, 1 - window :], key], dim=2)
            value = torch.cat([cache.values[:, :, 1 - window :], value], dim=2)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).flatten(2)), Cache(key, value, position)


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

    def forward(self, x: Hidden, mask: Mask | None, causal: bool) -> Hidden:
        x = x + self.dropout(self.attention(self.norm_attention(x), mask, causal))
        return x + self.dropout(self.inner(x))

    def step(
        self, x: Float[Tensor, "item 1 width"], cache: Cache | None, window: int
    ) -> tuple[Float[Tensor, "item 1 width"], Cache]:
        mixed, cache = self.attention.step(self.norm_attention(x), cache, window)
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
        if parameter.ndim < 2:
            continue
        width = parameter.shape[0] if name.endswith("down.weight") else parameter.shape[1]
        spread = 0.8 / width**0.5 if name.startswith("blocks.") else 0.02
        last = name.endswith(("attention.out.weight", "down.weight"))
        nn.init.normal_(parameter, std=spread / (2 * layers) ** 0.5 if last else spread)


def shifted(values: Symbols) -> Symbols:
    """What is fed to predict `values`: START, then each symbol but the last."""
    return torch.cat([torch.full_like(values[:, :1], START), values[:, :-1]], dim=1)


class Packed(NamedTuple):
    """Items laid end to end and cut into rows, so that no time goes into padding."""

    inputs: Int[Tensor, "row time"]  # START before each item
    targets: Int[Tensor, "row time"]  # PAD where the last row is not full
    conditions: Int[Tensor, "row time"]
    item: Int[Tensor, "row time"]  # which item a symbol belongs to; -1 at padding

    def apart(self, causal: bool) -> Bool[Tensor, "row 1 time time"]:
        """Attention inside items only."""
        same = self.item[:, :, None] == self.item[:, None, :]
        return (same.tril() if causal else same)[:, None]


def pack(values: Symbols, conditions: Int[Tensor, " item"], window: int, rows: int) -> Packed:
    """Rows of `window` symbols of the items; of more than `rows` a random choice, so that steps cost the same.

    A row that begins inside an item has no START there.
    """
    item, time = (values != PAD).nonzero(as_tuple=True)
    count = max(1, -(-len(item) // window))
    filled = torch.stack([shifted(values)[item, time], values[item, time], conditions[item], item])
    edge = filled.new_tensor([PAD, PAD, 0, -1])[:, None].expand(-1, count * window - len(item))
    packed = torch.cat([filled, edge], dim=1).unflatten(1, (count, window))
    if count > rows:
        packed = packed[:, torch.randperm(count, device=values.device)[:rows]]
    return Packed(*packed)


def of_like_length(values: Symbols, size: int = 32) -> Iterator[tuple[Int[Tensor, " part"], Int[Tensor, "part longest"]]]:
    """The items in groups of about the same length: their index, and their values cut to the longest."""
    length = (values != PAD).sum(dim=1)
    for index in length.argsort(stable=True).split(size):
        yield index, values[index, : max(1, int(length[index].max()))]


def score(logits: Logits, batch: Batch) -> Float[Tensor, "item time"]:
    """Log-likelihood in nats, zero at padding, of a model of inputs and conditions."""
    result = torch.zeros(batch.values.shape, device=batch.values.device)
    for index, values in of_like_length(batch.values):
        outputs = logits(shifted(values), batch.conditions[index]).float().transpose(1, 2)
        result[index, : values.shape[1]] = -F.cross_entropy(outputs, values, ignore_index=PAD, reduction="none")
    return result


def predict(logits: Logits, batch: Batch) -> Float[Tensor, "item time symbol"]:
    """Log-probabilities, zero behind an item, of a model of inputs and conditions."""
    result = torch.zeros(*batch.values.shape, OUTPUTS, device=batch.values.device)
    for index, values in of_like_length(batch.values):
        result[index, : values.shape[1]] = logits(shifted(values), batch.conditions[index]).float().log_softmax(-1)
    return result


def mean_over_items(log_likelihood: Float[Tensor, "item time"], values: Symbols) -> Float[Tensor, ""]:
    """Nats a symbol, from the log-likelihood of `values`."""
    return -log_likelihood.sum() / (values != PAD).sum().clamp(min=1)


def drop_condition(conditions: Int[Tensor, " item"], none: int, share: float) -> Int[Tensor, " item"]:
    """Conditions, of which about `share` are replaced with the null condition `none`."""
    return torch.where(torch.rand(conditions.shape, device=conditions.device) < share, none, conditions)


def mean_loss(logits: Float[Tensor, "item time symbol"], targets: Symbols) -> Float[Tensor, ""]:
    """Mean negative log-likelihood in nats a symbol, padding left out."""
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD)
