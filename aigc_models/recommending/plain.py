"""What the plain families of recommendation share: no gradient steps, and every choice made on the validation split."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.language.vocabulary import vocabulary_of
from aigc_models.recommending.histories import Ints, events, nats, questions
from aigc_models.sequences import Sequences

SHARES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7)  # of popularity in what is said, those that are tried
MOST = 1000  # validation histories that choices are made on, at most
Floats = NDArray[np.float32]
State = dict[str, Tensor]


class PlainRecommender(ABC):
    """Scores of its own, mixed with how often each item comes: who has no history yet is told that alone (a cold start).

    `state` holds all that was learnt, float and int tensors by name: `popularity` (symbol,) and `share` (1,) of every
    family, and the family's own.
    """

    def __init__(self, config: Any, shape: Shape) -> None:
        self.config, self.vocabulary = config, vocabulary_of(shape)
        self.state: State = {}

    @abstractmethod
    def trials(self, histories: Sequences) -> Iterator[State]:
        """What is tried, one after the other: learnt from histories without an END."""

    @abstractmethod
    def scores(self, values: Ints) -> Floats:
        """How well each item follows, (item, symbol), not negative, from histories (item, time); 0 where nothing is known."""

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float | None:
        """Keep what makes the last items of the validation histories likeliest; that loss is returned, nats an item."""
        histories = events(train.sequences)
        counts = np.bincount(histories.symbols, minlength=self.vocabulary.size)[: self.vocabulary.size] + 0.5
        popularity = torch.from_numpy((counts / counts.sum()).astype(np.float32))
        batch, target = questions(validation, MOST)
        best, least = State(), np.inf
        for step, trial in enumerate(self.trials(histories), start=1):
            self.state = {**trial, "popularity": popularity}
            scores = self.scores(batch.values.numpy()) if len(target) else None
            for share in SHARES:
                self.state["share"] = torch.tensor([share])
                loss = 0.0 if scores is None else nats(self._mixed(scores), batch, target)
                if loss < least:
                    best, least = dict(self.state), loss
            progress(step, step, validation_loss=least)
        self.state = best
        return least if len(target) else None

    def recommend(self, batch: Batch) -> Float[Tensor, "item symbol"]:
        """Log-probabilities float32 (item, symbol)."""
        return self._mixed(self.scores(batch.values.cpu().numpy())).to(batch.values.device)

    def _mixed(self, scores: Floats) -> Tensor:
        own = torch.from_numpy(np.ascontiguousarray(scores, dtype=np.float32))
        total = own.sum(1, keepdim=True)
        share = torch.where(total > 0, self.state["share"], 1.0)
        return ((1 - share) * own / total.clamp(min=1e-30) + share * self.state["popularity"]).log()

    def number(self, name: str) -> float:
        """A choice that is one number."""
        return float(self.state[name][0])

    def state_dict(self) -> State:
        return dict(self.state)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Takes tensors of any size."""
        self.state = dict(state)


def numbers(**choice: float) -> State:
    """A choice as tensors of one number each."""
    return {name: torch.tensor([value], dtype=torch.float32) for name, value in choice.items()}
