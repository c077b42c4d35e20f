"""Decoder-only transformer over bytes: RMSNorm, rotary positions, SwiGLU (as in Touvron et al. 2023)."""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Player, Shape
from aigc_models.corpus import Batch
from aigc_models.layers.attention import (
    Block,
    Cache,
    GramEmbedding,
    band,
    drop_condition,
    initialise,
    mean_loss,
    mean_over_items,
    pack,
    predict,
    score,
)
from aigc_models.modalities.text import OUTPUTS, PAD

MODALITIES = frozenset({"text"})
BODY = "masked_lm"
PLAN = {"learning_rate": 4e-3, "validation_batch": 256, "batch_size": 8, "warmup": 0.1, "weight_decay": 0.05}


class Config(BaseModel):
    """`small` is meant for a minute of one CPU core."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    width: int = Field(128, ge=2, description="channels of a position")
    longest: int = Field(4, ge=1, description="n-grams up to this length have embeddings too, symbols")
    buckets: int = Field(4096, ge=1, description="embeddings for the n-grams of one length")
    layers: int = Field(2, ge=1, description="blocks on top of each other")
    heads: int = Field(4, ge=1, description="attention heads; each has width / heads channels, an even number")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of channels dropped in training")
    unlabelled: float = Field(0.1, ge=0, le=1, description="share of the training items whose condition is hidden")
    window: int = Field(64, ge=2, description="symbols that attention reaches back, and length of a row in training")
    rows: int = Field(8, ge=1, description="rows of a step at most")


SIZES = {
    "debug": Config(width=16, buckets=64, layers=1, heads=2, window=32, rows=8),
    "small": Config(),
    "base": Config(width=384, layers=6, heads=6, dropout=0.1, window=256, rows=32),
    "large": Config(width=768, layers=12, heads=12, buckets=32_768, dropout=0.1, window=512, rows=32),
}


class State(NamedTuple):
    condition: Tensor  # (item, width)
    recent: Tensor  # the last symbols (item, longest)
    caches: tuple[Cache | None, ...]


class Transformer(nn.Module):
    """The condition's embedding is added to every symbol's, so that a row that begins inside an item has it too."""

    def __init__(self, config: Config, conditions: int) -> None:
        super().__init__()
        self.config, self.none = config, conditions - 1
        self.embedding = GramEmbedding(config.width, config.longest, config.buckets)
        self.conditions = nn.Embedding(conditions, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config.width, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width)
        initialise(self, config.layers)

    def hidden(self, inputs: Tensor, conditions: Tensor, mask: Tensor | None = None) -> Tensor:
        """float (item, time, width) for inputs int64 (item, time) and conditions (item,) or (item, time)."""
        condition = self.conditions(conditions if conditions.ndim == 2 else conditions[:, None])
        x = self.dropout(self.embedding(inputs) + condition)
        if mask is None and inputs.shape[1] > self.config.window:
            mask = band(inputs.shape[1], self.config.window, inputs.device)
        for block in self.blocks:
            x = block(x, mask, causal=mask is None)
        return self.norm(x)

    def head(self, x: Tensor) -> Tensor:
        """Logits; the weights are those of the embedding (Press and Wolf 2017)."""
        return F.linear(x, self.embedding.symbols.weight[:OUTPUTS])

    def forward(self, inputs: Tensor, conditions: Tensor) -> Tensor:
        """Logits (item, time, symbol)."""
        return self.head(self.hidden(inputs, conditions))

    def players(self) -> list[Player]:
        """One; a wide model takes smaller steps (the plan's rate is for 128 channels)."""
        rate = min(1.0, 128 / self.config.width)
        return [Player("transformer", list(self.parameters()), self.loss, learning_rate=rate, betas=(0.9, 0.98))]

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Nats a symbol on packed rows; attention stays inside an item."""
        conditions = drop_condition(batch.conditions, self.none, self.config.unlabelled)
        rows = pack(batch.values, conditions, self.config.window, self.config.rows)
        return mean_loss(self.head(self.hidden(rows.inputs, rows.conditions, rows.apart(causal=True))), rows.targets)

    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Nats a symbol on whole items."""
        return mean_over_items(self.log_likelihood(batch), batch.values)

    def log_likelihood(self, batch: Batch) -> Float[Tensor, "item time"]:
        """float (item, time), nats."""
        return score(self, batch)

    def log_probabilities(self, batch: Batch) -> Float[Tensor, "item time symbol"]:
        """float (item, time, symbol), nats."""
        return predict(self, batch)

    def begin(self, conditions: Int[Tensor, " item"]) -> State:
        return State(self.conditions(conditions), self.embedding.none_yet(len(conditions)), (None,) * self.config.layers)

    def advance(self, state: State, tokens: Int[Tensor, " item"]) -> tuple[Float[Tensor, "item symbol"], State]:
        recent = torch.cat([state.recent[:, 1:], tokens[:, None]], dim=1)
        x = (self.embedding.last(recent) + state.condition)[:, None]
        caches: list[Cache | None] = []
        for block, cache in zip(self.blocks, state.caches, strict=True):
            x, cache = cast(Block, block).step(x, cache, self.config.window)
            caches.append(cache)
        return self.head(self.norm(x[:, 0])).log_softmax(-1), State(state.condition, recent, tuple(caches))

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]:
        """Mean hidden state over an item's symbols: float (item, width), without the condition."""
        hidden = self.hidden(batch.values, torch.full_like(batch.conditions, self.none))
        there = (batch.values != PAD).unsqueeze(-1)
        return (hidden * there).sum(1) / there.sum(1).clamp(min=1)


def build(config: Config, shape: Shape) -> Transformer:
    return Transformer(config, shape.conditions)
