"""Causal self-attention over the items of a history (SASRec, Kang and McAuley 2018), the items' weights those of the output.

Trained on stretches of histories by cross-entropy over all items, as in Klenitskiy and Vasilev 2023, which does far better
than the paper's one negative a target. Some of the items before a target are hidden, or a few histories are soon known by
heart, and the item after the next counts as a target too, since in what order a list was gone through says little.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Mean, Player, Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.language.attention import Block, Rotation, initialise
from aigc_models.language.vocabulary import vocabulary_of
from aigc_models.recommending.histories import UNKNOWN, asked, closed, events
from aigc_models.sequences import PAD

MODALITIES = frozenset({"events"})
PLAN = {"learning_rate": 1e-2, "matrix_rate": 0.02, "schedule": "linear", "ema": 0.99, "weight_decay": 0.0, "patience": 6}


class Config(BaseModel):
    """`small` is meant for a minute of one CPU core."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    width: int = Field(64, ge=2, description="channels of an item")
    layers: int = Field(2, ge=1, description="blocks on top of each other")
    heads: int = Field(2, ge=1, description="attention heads; each has width / heads channels, an even number")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of channels dropped in training")
    hidden: float = Field(0.1, ge=0, lt=1, description="share of the items before a target that are hidden in training")
    onward: float = Field(0.5, ge=0, lt=1, description="weight of the item after the next as a target, beside the next one's 1")
    window: int = Field(48, ge=2, description="items that attention reaches back, and length of a stretch in training")
    rows: int = Field(16, ge=1, description="stretches of a step")
    negatives: int = Field(
        1024, ge=0, description="other items that the targets of a step are held against; 0: all, which takes most of the time"
    )


SIZES = {
    "debug": Config(width=16, layers=1, window=16, rows=8),
    "small": Config(),
    "base": Config(width=128, window=100, rows=64, negatives=0),
    "large": Config(width=256, layers=4, heads=4, window=200, rows=128, negatives=0),
}


class ItemAttention(nn.Module):
    """Fed an END before the first item of a history, so that one without items has an answer too."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.config, self.vocabulary = config, vocabulary_of(shape)
        self.items = nn.Embedding(self.vocabulary.inputs, config.width)
        self.bias = nn.Parameter(torch.zeros(self.vocabulary.size))
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config.width, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width)
        initialise(self, config.layers)

    def batches(self, corpus: Corpus, size: int, seed: int) -> Callable[[int], Batch]:
        """Stretches (row, window + 1) that end at events drawn at random; `size` is not looked at, the config says how many."""
        histories, window, end = events(corpus.sequences), self.config.window, self.vocabulary.end
        owner = np.repeat(np.arange(len(histories)), histories.lengths)

        def batch(step: int) -> Batch:
            random = np.random.default_rng([seed, step])
            last = random.integers(0, max(1, len(owner)), self.config.rows)
            values = np.full((len(last), window + 1), PAD, dtype=np.int64)
            for row, place in enumerate(last if len(owner) else ()):
                start, stop = histories.starts[owner[place]], histories.starts[owner[place] + 1]
                first = max(start, place - window // 2)
                stretch = histories.symbols[first : min(stop, first + window)]
                values[row, : len(stretch) + 1] = [end if first == start else self.vocabulary.blank, *stretch]
            return Batch(torch.from_numpy(values), torch.zeros(len(last), dtype=torch.int64))

        return batch

    def encode(self, inputs: Int[Tensor, "item time"]) -> Float[Tensor, "item time width"]:
        """What is made of each item and those before it."""
        x = self.dropout(self.items(torch.where(inputs == PAD, self.vocabulary.blank, inputs)) * self.config.width**0.5)
        rotation = Rotation.of(0, x.shape[1], self.config.width // self.config.heads, x)
        for block in self.blocks:
            x = cast(Block, block)(x, rotation, None, causal=True)
        return self.norm(x)

    def logits(self, features: Float[Tensor, "*place width"]) -> Float[Tensor, "*place symbol"]:
        return F.linear(features, self.items.weight[: self.vocabulary.size], self.bias)

    def players(self) -> list[Player]:
        """One; the blocks' matrices are Muon's."""
        matrices: list[Tensor] = [weight for weight in self.blocks.parameters() if weight.ndim == 2]
        return [Player("item_attention", list(self.parameters()), self.loss, betas=(0.9, 0.99), matrices=matrices)]

    def loss(self, batch: Batch) -> Mean:
        """Nats an item, known ones alone."""
        values = batch.values
        targets = values[:, 1:]
        there = targets > UNKNOWN
        features, targets = self.encode(self.disturbed(values)[:, :-1])[there], targets[there]
        later = F.pad(values[:, 2:], (0, 1), value=PAD)[there]
        second = self.config.onward * (later > UNKNOWN)
        total, others = self.normaliser(features, torch.stack([targets, later.clamp(min=0)], 1))
        loss = total - (others[:, 0] + second * others[:, 1]) / (1 + second)
        count = there.sum().clamp(min=1)
        return Mean(loss.sum() / count, count)

    def normaliser(
        self, features: Float[Tensor, "place width"], targets: Int[Tensor, "place target"]
    ) -> tuple[Float[Tensor, " place"], Float[Tensor, "place target"]]:
        """The logarithm of the softmax's sum, and the logits of `targets`.

        Estimated from items that are drawn log-uniformly (as symbols are numbered by how often they come, about as often as
        they do), each weighed by one over its chance (Jean et al. 2015), the first target itself aside, which is always in it.
        """
        own = (features[:, None] * self.items(targets)).sum(-1) + self.bias[targets]
        if not self.config.negatives:
            return self.logits(features).logsumexp(-1), own
        size = self.vocabulary.size
        drawn = (torch.rand(self.config.negatives, device=features.device) * math.log(size + 1)).exp().long() - 1
        drawn = drawn.clamp(0, size - 1)
        chance = ((drawn + 2.0) / (drawn + 1.0)).log() / math.log(size + 1)
        said = F.linear(features, self.items(drawn), self.bias[drawn]) - (chance * len(drawn)).log()
        said = said.masked_fill(drawn == targets[:, :1], -torch.inf)
        return torch.logaddexp(said.logsumexp(-1), own[:, 0]), own

    def disturbed(self, values: Int[Tensor, "item time"]) -> Int[Tensor, "item time"]:
        """Some items hidden, in training."""
        if not self.training:
            return values
        hidden = torch.rand(values.shape, device=values.device) < self.config.hidden
        return torch.where(hidden & (values != PAD), self.vocabulary.blank, values)

    @torch.no_grad()
    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Nats of the last item among those that a history lacks."""
        before, target = asked(batch)
        there = target > UNKNOWN
        said = closed(self.recommend(before), before, target.clamp(min=UNKNOWN)).gather(1, target.clamp(min=UNKNOWN)[:, None])
        return -said[there].mean() if bool(there.any()) else said.new_zeros(())

    def recommend(self, batch: Batch) -> Float[Tensor, "item symbol"]:
        """Log-probabilities float32 (item, symbol), from the last `window` items."""
        values, window = batch.values, self.config.window
        length = (values != PAD).sum(1, keepdim=True)
        first = (length - (window - 1)).clamp(min=0)
        place = first + torch.arange(window - 1, device=values.device)
        inside = values.gather(1, place.clamp(max=values.shape[1] - 1)).masked_fill(place >= length, PAD)
        start = torch.where(first > 0, self.vocabulary.blank, self.vocabulary.end)
        features = self.encode(torch.cat([start, inside], dim=1))
        last = (length - first)[:, :, None].expand(-1, -1, features.shape[2])
        return self.logits(features.gather(1, last)[:, 0]).float().log_softmax(-1)


def build(config: Config, shape: Shape) -> ItemAttention:
    return ItemAttention(config, shape)
