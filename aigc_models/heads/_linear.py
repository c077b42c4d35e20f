"""A linear layer over what a body makes of an item: what the heads that classify, name labels or predict numbers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from aigc_models.capabilities import Mean, Player
from aigc_models.corpus import Batch, Corpus, LikeLengths, Shuffled
from aigc_models.sequences import Sequences


class LinearHead(nn.Module, ABC):
    """`outputs` numbers an item; a subclass says by `loss` what they are to be. `none`: the condition 'no label'."""

    NAME: ClassVar[str]  # of its player

    def __init__(self, body: Any, outputs: int, none: int, settings: Any) -> None:
        super().__init__()
        self.body: Any = body
        self.settings, self.none = settings, none
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(body.features, outputs)
        nn.init.zeros_(self.output.bias)

    def scores(self, batch: Batch) -> Float[Tensor, "item output"]:
        """What the layer gives."""
        scores: Tensor = self.output(self.dropout(self.embed(batch)))
        return scores

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]:
        """What the body makes of each item; its label is not shown to a body that would look at it."""
        features: Tensor = self.body.embed(Batch(batch.values, torch.full_like(batch.conditions, self.none)))
        return features

    def batches(self, corpus: Corpus, size: int, seed: int) -> Shuffled | LikeLengths:
        """Random ones, of texts those of like length together."""
        return LikeLengths(corpus, size, seed) if isinstance(corpus.values, Sequences) else Shuffled(corpus, size, seed)

    def players(self) -> list[Player]:
        """One, of whatever takes a gradient; the body's own matrices stay Muon's where it is trained along."""
        learnt: list[Tensor] = [parameter for parameter in self.parameters() if parameter.requires_grad]
        whole = all(parameter.requires_grad for parameter in self.body.parameters())
        matrices = self.body.players()[0].matrices if whole and hasattr(self.body, "players") else []
        return [Player(self.NAME, learnt, self.loss, betas=(0.9, 0.99), matrices=list(matrices))]

    @abstractmethod
    def loss(self, batch: Batch) -> Mean:
        """Of an item with an answer, and how many those are."""

    @torch.no_grad()
    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """The loss of a batch."""
        return self.loss(batch).value


def probabilities(scores: Tensor) -> Tensor:
    """Of logits; a model that says nothing of a label gives it a half."""
    return torch.nan_to_num(scores, nan=0.0).sigmoid()
