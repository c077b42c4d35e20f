"""Convolutions over words (Kim 2014), whose embeddings are sums over pieces of them (Bojanowski et al. 2017), hashed.

The label is read from the strongest answer of each filter. Between two figures stands how they compare.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Mean, Player, Shape
from aigc_models.corpus import Batch, Corpus, Shuffled
from aigc_models.language.words import figured, pieces, relation, texts

MODALITIES = frozenset({"text"})
PLAN = {"learning_rate": 3e-3, "batch_size": 64, "ema": 0.0, "warmup": 0.1, "weight_decay": 0.01}
KEPT_WORDS = 50_000  # whose pieces are at hand
MARKS = {">": "<greater>", "<": "<less>", "=": "<equal>"}


class Config(BaseModel):
    """How large it is, and how much is dropped in training."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    width: int = Field(64, ge=1, description="numbers that stand for a word")
    buckets: int = Field(16_384, ge=2, description="embeddings of whole words, and as many of their pieces")
    characters: tuple[int, int] = Field((3, 5), description="characters of a piece of a word, from and to")
    stem: int = Field(5, ge=1, description="first characters of a word that are a piece too")
    filters: int = Field(96, ge=1, description="of each reach")
    reaches: tuple[int, ...] = Field((1, 2, 3, 5), min_length=1, description="words that a filter looks at")
    longest: int = Field(128, ge=1, description="words of a text that are read, from its beginning")
    words_dropped: float = Field(0.15, ge=0, lt=1, description="share of the words left out in training")
    dropout: float = Field(0.5, ge=0, lt=1, description="share of the filters' answers dropped in training")
    smoothing: float = Field(0.2, ge=0, lt=1, description="share of each label's probability spread over all (Szegedy 2016)")


SIZES = {
    "debug": Config(width=8, buckets=256, filters=8, reaches=(1, 2), longest=32),
    "small": Config(),
    "base": Config(width=128, buckets=65_536, filters=192, longest=256),
    "large": Config(width=256, buckets=262_144, filters=384, longest=512),
}


@dataclass(frozen=True)
class Words:
    """Texts as numbers of different words, int64 (item, time), -1 behind each text, and what those words are made of:
    `whole` int64 (word,), `parts` int64 (part,) from `starts` int64 (word,) on; `conditions` int64 (item,)."""

    places: Tensor
    whole: Tensor
    parts: Tensor
    starts: Tensor
    conditions: Tensor

    def __len__(self) -> int:
        return len(self.conditions)

    def to(self, device: torch.device | str) -> Words:
        return Words(*(each.to(device) for each in vars(self).values()))

    def part(self, rows: slice) -> Words:
        """Some of the items."""
        return Words(self.places[rows], self.whole, self.parts, self.starts, self.conditions[rows])


class WordCnn(nn.Module):
    """Scores each label; items without a label teach nothing."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.config, self.labels, self.format = config, len(shape.labels), shape.format
        self.features = config.filters * len(config.reaches)  # of `embed`
        self.whole = nn.Embedding(config.buckets, config.width)
        self.parts = nn.EmbeddingBag(config.buckets, config.width, mode="sum")
        nn.init.zeros_(self.whole.weight)  # a word that training does not show says what its pieces say
        nn.init.normal_(self.parts.weight, std=0.05)
        self.filters = nn.ModuleList(nn.Conv1d(config.width, config.filters, reach) for reach in config.reaches)
        self.dropout, self.output = nn.Dropout(config.dropout), nn.Linear(self.features, self.labels)
        self.hashed = lru_cache(KEPT_WORDS)(self.hashes)

    def hashes(self, word: str) -> tuple[int, tuple[int, ...]]:
        """The bucket of a word, and those of its pieces."""
        size = self.config.buckets
        marks = word[0] == "<"  # such as that of a figure, which has no letters
        small = [f"{word[: self.config.stem]}*", *([] if marks else pieces(word, *self.config.characters))]
        return bucket(word, size), tuple(bucket(piece, size) for piece in small)

    def read(self, written: Iterable[str], conditions: Tensor) -> Words:
        """Texts and their conditions, int64 (item,)."""
        return self.together([sequence(text)[: self.config.longest] for text in written], conditions)

    def together(self, items: Sequence[Sequence[str]], conditions: Tensor) -> Words:
        """Of the words of each text."""
        numbers = {word: at for at, word in enumerate(dict.fromkeys(word for item in items for word in item))} or {"": 0}
        made = [self.hashed(word or " ") for word in numbers]
        places = np.full((len(items), max(1, *(len(item) for item in items), max(self.config.reaches))), -1, dtype=np.int64)
        for row, item in enumerate(items):
            places[row, : len(item)] = [numbers[word] for word in item]
        starts = np.cumsum([0, *(len(parts) for _, parts in made)])[:-1]
        flat = [part for _, parts in made for part in parts]
        arrays = (places, [whole for whole, _ in made], flat, starts)
        shown, whole, parts, begin = (torch.as_tensor(np.asarray(each, dtype=np.int64)) for each in arrays)
        return Words(shown, whole, parts, begin, conditions)

    def batches(self, corpus: Corpus, size: int, seed: int) -> Callable[[int], Words]:
        """Those of a step, in random order; the texts are cut into words once."""
        items = [sequence(text)[: self.config.longest] for text in texts(corpus.sequences, self.format)]
        order, conditions = Shuffled(corpus, size, seed), np.asarray(corpus.conditions, dtype=np.int64)

        def batch(step: int) -> Words:
            index = order.index(step)
            return self.together([items[at] for at in index], torch.from_numpy(conditions[index]))

        return batch

    def seen(self, words: Words) -> Float[Tensor, "item feature"]:
        """The strongest answer of each filter; a filter looks beyond both ends of a text, where there is nothing."""
        there = words.places >= 0
        if self.training:
            there &= torch.rand(there.shape, device=there.device) >= self.config.words_dropped
        table = self.whole(words.whole) + self.parts(words.parts, words.starts) / 4
        x = (table[words.places.clamp(min=0)] * there.unsqueeze(-1)).transpose(1, 2)
        answers = []
        for filters, reach in zip(self.filters, self.config.reaches, strict=True):
            answer = F.relu(filters(F.pad(x, (reach // 2, reach - 1 - reach // 2))))
            answers.append(answer.masked_fill((words.places < 0).unsqueeze(1), 0).amax(2))
        return torch.cat(answers, dim=1)

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]:
        """The filters' answers."""
        return self.seen(self.read(texts(batch.values, self.format), batch.conditions.cpu()).to(batch.conditions.device))

    def classify(self, batch: Batch) -> Float[Tensor, "item label"]:
        """Before the softmax."""
        return self.output(self.dropout(self.embed(batch)))

    def players(self) -> list[Player]:
        """One."""
        return [Player("word_cnn", list(self.parameters()), self.loss, betas=(0.9, 0.99))]

    def loss(self, words: Words) -> Mean:
        """Nats an item with a label, and how many those are."""
        return self.nats(self.output(self.dropout(self.seen(words))), words.conditions, self.config.smoothing)

    def nats(self, scores: Tensor, conditions: Tensor, smoothing: float) -> Mean:
        there = conditions < self.labels
        total = F.cross_entropy(scores[there], conditions[there], reduction="sum", label_smoothing=smoothing)
        count = there.sum().clamp(min=1)
        return Mean(total / count, count)

    @torch.no_grad()
    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Nats an item with a label."""
        return self.nats(self.classify(batch), batch.conditions, 0.0).value


def sequence(text: str) -> list[str]:
    """The words of a text, and between two figures how they compare."""
    marked, figures = figured(text)
    for first, second in reversed(list(pairwise(figures))):
        marked.insert(second.place + 1, MARKS[relation(first, second)])
    return marked


def bucket(term: str, buckets: int) -> int:
    """The same on every machine."""
    return zlib.crc32(term.encode("utf-8", "surrogatepass")) % buckets


def build(config: Config, shape: Shape) -> WordCnn:
    return WordCnn(config, shape)
