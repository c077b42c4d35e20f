"""Decoder-only transformer over symbols: RMSNorm, rotary positions, SwiGLU (as in Touvron et al. 2023)."""

from __future__ import annotations

from typing import NamedTuple, cast

from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Player, Shape
from aigc_models.language.attention import Block, Cache, GramEmbedding, Rotation, band, initialise
from aigc_models.language.model import LanguageModel
from aigc_models.language.ring import RingStates
from aigc_models.language.rows import Packed
from aigc_models.language.vocabulary import symbolic
from aigc_models.training.devices import place_of

MODALITIES = symbolic()
BODY = "masked_lm"
PLAN = {"learning_rate": 8e-3, "matrix_rate": 0.02, "schedule": "linear", "ema": 0.0, "weight_decay": 0.0}


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
    rows: int = Field(8, ge=1, description="rows of a step")


SIZES = {
    "debug": Config(width=16, buckets=64, layers=1, heads=2, window=32, rows=8),
    "small": Config(longest=6, buckets=8192, layers=3, rows=32),
    "base": Config(width=384, longest=6, buckets=32_768, layers=6, heads=6, dropout=0.1, window=256, rows=32),
    "large": Config(width=768, longest=6, buckets=131_072, layers=12, heads=12, dropout=0.1, window=512, rows=32),
}


class State(NamedTuple):
    condition: Tensor  # (item, width)
    recent: Tensor  # the last symbols (item, longest - 1)
    caches: tuple[Cache, ...]
    position: int  # of the next symbol


class Transformer(LanguageModel):
    """The condition's embedding is added to every symbol's, so that a row that begins inside an item has it too."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(config, shape)
        self.config = config
        self.embedding = GramEmbedding(self.vocabulary, config.width, config.longest, config.buckets)
        self.conditions = nn.Embedding(shape.conditions, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config.width, config.heads, config.dropout) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width)
        initialise(self, config.layers)

    def logits(self, features: Float[Tensor, "item time width"]) -> Float[Tensor, "item time symbol"]:
        """The weights are those of the embedding (Press and Wolf 2017)."""
        return F.linear(features, self.embedding.symbols.weight[: self.vocabulary.outputs])

    def predict(self, rows: Packed) -> Float[Tensor, "row time symbol"]:
        """Attention stays inside an item."""
        x = self.dropout(self.embedding(rows.inputs) + self.conditions(rows.conditions))
        rotation, mask = self._rotation(0, x), rows.apart(causal=True)
        for block in self.blocks:
            x = block(x, rotation, mask, causal=False)
        return self.logits(self.norm(x))

    def _rotation(self, first: int, x: Tensor) -> Rotation:
        return Rotation.of(first, x.shape[1], self.config.width // self.config.heads, x)

    def players(self) -> list[Player]:
        """One; the blocks' matrices are Muon's."""
        matrices: list[Tensor] = [weight for weight in self.blocks.parameters() if weight.ndim == 2]
        return [Player("transformer", list(self.parameters()), self.loss, betas=(0.9, 0.99), matrices=matrices)]

    def begin(self, conditions: Int[Tensor, " item"]) -> State:
        caches = tuple(cast(Block, block).attention.nothing(len(conditions)) for block in self.blocks)
        return State(self.conditions(conditions.to(place_of(self))), self.embedding.none_yet(len(conditions)), caches, 0)

    def read(self, state: State, tokens: Int[Tensor, "item time"]) -> tuple[Float[Tensor, "item time width"], State]:
        embedded, recent = self.embedding.after(state.recent, tokens)
        x, time, window = embedded + state.condition[:, None], tokens.shape[1], self.config.window
        past = state.caches[0].keys.shape[2]
        rotation, mask = self._rotation(state.position, x), band(time, past, window, x.device) if time > 1 else None
        caches = []
        for block, cache in zip(self.blocks, state.caches, strict=True):
            x, cache = cast(Block, block).after(x, cache, rotation, mask)
            kept = max(0, cache.keys.shape[2] - window + 1)
            caches.append(Cache(cache.keys[:, :, kept:], cache.values[:, :, kept:]))
        return self.norm(x), State(state.condition, recent, tuple(caches), state.position + time)

    def states(self, count: int) -> RingStates:
        """For drawing many items side by side."""
        return RingStates(self, count)


def build(config: Config, shape: Shape) -> Transformer:
    return Transformer(config, shape)
