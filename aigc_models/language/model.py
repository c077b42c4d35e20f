"""What the neural language models share: how they train on rows, read whole items, and describe one as a vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.language import reading
from aigc_models.language.rows import Packed, Rows
from aigc_models.language.vocabulary import vocabulary_of
from aigc_models.sequences import PAD
from aigc_models.training.devices import place_of


class RowSettings(Protocol):
    """What a config says of the rows that its model trains on."""

    @property
    def width(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def window(self) -> int: ...


class SymbolModel(nn.Module, ABC):
    """A network over the symbols of a data set's format, which trains on full rows."""

    def __init__(self, settings: RowSettings, shape: Shape) -> None:
        super().__init__()
        self.settings, self.vocabulary, self.none = settings, vocabulary_of(shape), len(shape.labels)
        self.features = settings.width  # of `embed`

    def batches(self, corpus: Corpus, size: int, seed: int) -> Rows:
        """The rows of each step; `size` is not looked at, since the config says how many there are."""
        unlabelled = getattr(self.settings, "unlabelled", 0.0)
        return Rows(corpus, self.vocabulary, self.settings.rows, self.settings.window, seed, self.none, unlabelled)

    @abstractmethod
    def stretches(self, batch: Batch) -> Iterator[tuple[Int[Tensor, "item stretch"], Float[Tensor, "item stretch width"]]]:
        """The symbols of all items, some after the other, and what the network makes of each, without the condition."""

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]:
        """The mean over an item's symbols: float (item, width)."""
        total, count = torch.zeros(()), torch.zeros(())
        for symbols, features in self.stretches(batch):
            there = (symbols != PAD).unsqueeze(-1)
            total, count = total + (features * there).sum(1), count + there.sum(1)
        return total / count.clamp(min=1)


class LanguageModel(SymbolModel):
    """Reads symbols and gives the distribution of the next; a family says how, and brings `players`.

    A state is a tree of tuples, item first, and what is no tensor in it holds for all items (`capabilities.Streams`).
    """

    @abstractmethod
    def predict(self, rows: Packed) -> Float[Tensor, "row time symbol"]:
        """Logits of each target, in training."""

    @abstractmethod
    def begin(self, conditions: Int[Tensor, " item"]) -> Any:
        """The state before the first symbol."""

    @abstractmethod
    def read(self, state: Any, tokens: Int[Tensor, "item time"]) -> tuple[Float[Tensor, "item time width"], Any]:
        """What is made of `tokens` that follow the state's, and the state behind them."""

    @abstractmethod
    def logits(self, features: Float[Tensor, "item time width"]) -> Float[Tensor, "item time symbol"]:
        """Of the next symbol."""

    def loss(self, rows: Packed) -> Float[Tensor, ""]:
        """Nats a symbol on full rows."""
        return F.cross_entropy(self.predict(rows).flatten(0, 1), rows.targets.flatten())

    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Nats a symbol on whole items."""
        return -self.log_likelihood(batch).sum() / (batch.values != PAD).sum().clamp(min=1)

    def log_likelihood(self, batch: Batch) -> Float[Tensor, "item time"]:
        """float (item, time), nats, zero at padding."""
        return reading.log_likelihood(self, batch)

    def extend(self, state: Any, tokens: Int[Tensor, "item time"]) -> tuple[Float[Tensor, "item time symbol"], Any]:
        """Log-probabilities of what follows each of `tokens`."""
        features, state = self.read(state, tokens.to(place_of(self)))
        return self.logits(features).float().log_softmax(-1).to(tokens.device), state

    def prefill(self, state: Any, tokens: Int[Tensor, "item time"]) -> Any:
        """The state behind `tokens`."""
        return self.read(state, tokens.to(place_of(self)))[1]

    def advance(self, state: Any, tokens: Int[Tensor, " item"]) -> tuple[Float[Tensor, "item symbol"], Any]:
        """The same of one symbol."""
        log_probabilities, state = self.extend(state, tokens[:, None])
        return log_probabilities[:, 0], state

    def stretches(self, batch: Batch) -> Iterator[tuple[Int[Tensor, "item stretch"], Float[Tensor, "item stretch width"]]]:
        state = self.begin(torch.full_like(batch.conditions, self.none))
        for symbols in batch.values.split(reading.STRETCH, dim=1):
            features, state = self.read(state, symbols)
            yield symbols, features
