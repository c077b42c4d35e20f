"""Masked language model over symbols: hidden spans are guessed from both sides (Devlin et al. 2019; Joshi et al. 2020).

It needs no labels. Its embedding and blocks have the names and shapes of the transformer's, which can start from them.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Mean, Player, Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.language.attention import Block, GramEmbedding, Rotation, initialise
from aigc_models.language.model import SymbolModel
from aigc_models.language.rows import Packed
from aigc_models.language.vocabulary import symbolic
from aigc_models.sequences import PAD, Sequences
from aigc_models.training.randomness import seeded

MODALITIES = symbolic()
PLAN = {"learning_rate": 8e-3, "matrix_rate": 0.02, "schedule": "linear", "ema": 0.0, "weight_decay": 0.0}
LOOKED_AT_SEED = 0  # the same symbols are hidden in every validation


class Config(BaseModel):
    """The sizes are those of `transformer`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    width: int = Field(128, ge=2, description="channels of a position")
    longest: int = Field(4, ge=1, description="n-grams up to this length have embeddings too, symbols")
    buckets: int = Field(4096, ge=1, description="embeddings for the n-grams of one length")
    layers: int = Field(2, ge=1, description="blocks on top of each other")
    heads: int = Field(4, ge=1, description="attention heads; each has width / heads channels, an even number")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of channels dropped in training")
    hidden: float = Field(0.2, gt=0, lt=1, description="share of the symbols that are hidden")
    span: float = Field(3.0, ge=1, description="mean length of a hidden span, symbols")
    window: int = Field(64, ge=2, description="length of a row in training, symbols")
    rows: int = Field(8, ge=1, description="rows of a step")


SIZES = {
    "debug": Config(width=16, buckets=64, layers=1, heads=2, window=32, rows=8),
    "small": Config(longest=6, buckets=8192, layers=3, rows=32),
    "base": Config(width=384, longest=6, buckets=32_768, layers=6, heads=6, dropout=0.1, window=256, rows=32),
    "large": Config(width=768, longest=6, buckets=131_072, layers=12, heads=12, dropout=0.1, window=512, rows=32),
}


def spans(there: Tensor, share: float, mean: float) -> Tensor:
    """Which symbols to hide: bool (item, time), about `share` of those that are `there`, in spans of geometric length.

    A span begins at a symbol with the probability that makes the share right, and goes on with 1 - 1 / mean.
    """
    begin = share / (mean * (1 - share) + share)
    chosen, hidden = torch.rand(there.shape, device=there.device), torch.zeros_like(there)
    running = torch.rand(len(there), device=there.device) < share
    for time in range(there.shape[1]):
        running = chosen[:, time] < torch.where(running, 1 - 1 / mean + begin / mean, begin)
        hidden[:, time] = running
    return hidden & there


class MaskedLm(SymbolModel):
    """Sees both sides of a symbol."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(config, shape)
        self.config = config
        self.embedding = GramEmbedding(self.vocabulary, config.width, config.longest, config.buckets)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config.width, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width)
        initialise(self, config.layers)

    def seen(self, inputs: Tensor, seen: Tensor) -> Tensor:
        """float (item, time, width) for inputs int64 (item, time); `seen` says who sees whom, as in `Attention.forward`."""
        x = self.dropout(self.embedding(inputs))
        rotation = Rotation.of(0, x.shape[1], self.config.width // self.config.heads, x)
        for block in self.blocks:
            x = block(x, rotation, seen, causal=False)
        return self.norm(x)

    def forward(self, inputs: Tensor, seen: Tensor) -> Tensor:
        """Logits (item, time, symbol) for what stands at each place."""
        return F.linear(self.seen(inputs, seen), self.embedding.symbols.weight[: self.vocabulary.outputs])

    def players(self) -> list[Player]:
        """One; the blocks' matrices are Muon's."""
        matrices: list[Tensor] = [weight for weight in self.blocks.parameters() if weight.ndim == 2]
        return [Player("masked_lm", list(self.parameters()), self.hidden_loss, betas=(0.9, 0.99), matrices=matrices)]

    def loss(self, rows: Packed) -> Float[Tensor, ""]:
        """Nats a hidden symbol, on full rows; attention stays inside an item."""
        return self.hidden_loss(rows).value

    def hidden_loss(self, rows: Packed) -> Mean:
        """The same, and how many symbols were hidden."""
        values, hidden = rows.targets, spans(rows.targets != PAD, self.config.hidden, self.config.span)
        logits = self(torch.where(hidden, self.vocabulary.mask, values), rows.apart(causal=False))[hidden]
        count = hidden.sum().clamp(min=1)
        return Mean(F.cross_entropy(logits, values[hidden], reduction="sum") / count, count)

    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """On rows of the items, the same symbols hidden each time."""
        sequences = Sequences.of_padded(batch.values.cpu().numpy())
        corpus = Corpus("", sequences, batch.conditions.cpu().numpy())
        steps = -(-len(sequences.symbols) // (self.config.rows * self.config.window))
        with seeded(LOOKED_AT_SEED):
            rows = self.batches(corpus, 0, LOOKED_AT_SEED)
            return torch.stack([self.loss(rows(step).to(batch.values.device)) for step in range(steps)]).mean()

    def stretches(self, batch: Batch) -> Iterator[tuple[Int[Tensor, "item stretch"], Float[Tensor, "item stretch width"]]]:
        """Of a row's length; none sees the others."""
        for symbols in batch.values.split(self.config.window, dim=1):
            there = symbols != PAD
            yield symbols, self.seen(symbols, (there | ~there.any(dim=1, keepdim=True))[:, None, None, :])


def build(config: Config, shape: Shape) -> MaskedLm:
    return MaskedLm(config, shape)
