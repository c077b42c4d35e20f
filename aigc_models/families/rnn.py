"""Byte-level LSTM (Hochreiter and Schmidhuber 1997), with the condition fed at every step."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from aigc_models.capabilities import Player, Shape
from aigc_models.corpus import Batch
from aigc_models.layers.attention import GramEmbedding, drop_condition, mean_loss, mean_over_items, pack, predict, score
from aigc_models.modalities.text import OUTPUTS, PAD

MODALITIES = frozenset({"text"})
PLAN = {"learning_rate": 1.2e-2, "validation_batch": 256, "batch_size": 16, "weight_decay": 0.05}

State = tuple[Tensor, Tensor, Tensor, Tensor]  # hidden, cell, condition embedding, last symbols


class Config(BaseModel):
    """`small` is meant for a minute of one CPU core."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    embedding: int = Field(64, ge=1, description="size of a byte's and of a condition's embedding, channels")
    longest: int = Field(4, ge=1, description="n-grams up to this length have embeddings too, symbols")
    buckets: int = Field(4096, ge=1, description="embeddings for the n-grams of one length")
    width: int = Field(256, ge=1, description="size of the hidden state, channels")
    layers: int = Field(1, ge=1, description="LSTM layers on top of each other")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of channels dropped in training")
    unlabelled: float = Field(0.1, ge=0, le=1, description="share of the training items whose condition is hidden")
    window: int = Field(64, ge=2, description="length of a row in training, symbols")
    rows: int = Field(16, ge=1, description="rows of a step at most")


SIZES = {
    "debug": Config(embedding=8, buckets=64, width=16, window=32, rows=8, dropout=0.0),
    "small": Config(),
    "base": Config(width=512, layers=2, dropout=0.2, window=256, rows=32),
    "large": Config(embedding=128, buckets=32_768, width=1024, layers=3, dropout=0.3, window=256, rows=64),
}


class Rnn(nn.Module):
    """Reads bytes, gives the distribution of the next one."""

    def __init__(self, config: Config, conditions: int) -> None:
        super().__init__()
        self.config, self.none = config, conditions - 1
        self.symbols = GramEmbedding(config.embedding, config.longest, config.buckets)
        self.conditions = nn.Embedding(conditions, config.embedding)
        between = config.dropout if config.layers > 1 else 0.0
        self.lstm = nn.LSTM(2 * config.embedding, config.width, config.layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.width, OUTPUTS)
        nn.init.normal_(self.conditions.weight, std=0.5)
        with torch.no_grad():
            for layer in range(config.layers):
                getattr(self.lstm, f"bias_ih_l{layer}")[config.width : 2 * config.width] = 1.0  # remember at first

    def hidden(self, inputs: Tensor, conditions: Tensor) -> Tensor:
        """float (item, time, width) for inputs int64 (item, time) and conditions (item,) or (item, time)."""
        each = conditions if conditions.ndim == 2 else conditions[:, None].expand_as(inputs)
        output, _ = self.lstm(self.dropout(torch.cat([self.symbols(inputs), self.conditions(each)], dim=-1)))
        return output

    def forward(self, inputs: Tensor, conditions: Tensor) -> Tensor:
        """Logits (item, time, symbol)."""
        return self.head(self.dropout(self.hidden(inputs, conditions)))

    def players(self) -> list[Player]:
        """One; a wide model takes smaller steps (the plan's rate is for 256 channels)."""
        rate = min(1.0, 256 / self.config.width)
        return [Player("rnn", list(self.parameters()), self.loss, learning_rate=rate, betas=(0.9, 0.99))]

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Nats a symbol on packed rows; the state runs on from one item to the next, and START says so."""
        conditions = drop_condition(batch.conditions, self.none, self.config.unlabelled)
        rows = pack(batch.values, conditions, self.config.window, self.config.rows)
        return mean_loss(self(rows.inputs, rows.conditions), rows.targets)

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
        zero = self.head.weight.new_zeros(len(conditions), self.config.layers, self.config.width)
        return zero, zero, self.conditions(conditions), self.symbols.none_yet(len(conditions))

    def advance(self, state: State, tokens: Int[Tensor, " item"]) -> tuple[Float[Tensor, "item symbol"], State]:
        hidden, cell, condition, recent = state
        recent = torch.cat([recent[:, 1:], tokens[:, None]], dim=1)
        step = torch.cat([self.symbols.last(recent), condition], dim=-1)[:, None]
        before = hidden.transpose(0, 1).contiguous(), cell.transpose(0, 1).contiguous()
        output, (hidden, cell) = self.lstm(step, before)
        state = hidden.transpose(0, 1), cell.transpose(0, 1), condition, recent
        return self.head(output[:, 0]).log_softmax(-1), state

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]:
        """Mean hidden state over an item's symbols: float (item, width), without the condition."""
        hidden = self.hidden(batch.values, torch.full_like(batch.conditions, self.none))
        there = (batch.values != PAD).unsqueeze(-1)
        return (hidden * there).sum(1) / there.sum(1).clamp(min=1)


def build(config: Config, shape: Shape) -> Rnn:
    return Rnn(config, shape.conditions)
