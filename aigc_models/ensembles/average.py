"""Average of the members' probabilities, symbol by symbol, with one weight a member.

The weights maximise the likelihood of the validation split by expectation maximisation
(interpolation as in Jelinek and Mercer 1980); the likelihood is concave in them, so there is one best.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from aigc_models.capabilities import Scores, Shape, Streams
from aigc_models.corpus import Batch, Corpus
from aigc_models.modalities.text import PAD

MODALITIES = frozenset({"text"})


class Settings(BaseModel):
    """How the weights are learned."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rounds: int = Field(200, ge=1, description="rounds of expectation maximisation at most")
    tolerance: float = Field(1e-6, gt=0, description="largest change of a weight at which it stops")
    least: float = Field(0.005, ge=0, lt=1, description="a smaller weight becomes 0, and its member is not asked any more")
    batch_size: int = Field(64, ge=1, description="validation items scored at a time")
    most_items: int = Field(4096, ge=1, description="validation items that the weights are learned on, at most")


class Average:
    """`members` by name, and `weights` that sum to 1. Scores and streams like a member."""

    def __init__(self, members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> None:
        total = sum(weights[name] for name in members)
        self.members, self.settings = dict(members), settings
        self.weights = {name: weights[name] / total for name in members}
        self._asked = [member for name, member in members.items() if self.weights[name] > 0]

    @property
    def _log_weights(self) -> Tensor:
        return torch.tensor([weight for weight in self.weights.values() if weight > 0], dtype=torch.float64).log()

    def _mean(self, parts: list[Tensor]) -> Tensor:
        """Log of the weighted mean of probabilities that are given as logs of one shape."""
        weights = self._log_weights.to(parts[0].device, torch.float32).reshape(-1, *[1] * parts[0].ndim)
        return torch.logsumexp(torch.stack(parts) + weights, dim=0)

    def log_likelihood(self, batch: Batch) -> Tensor:
        """float32 (item, time) in nats, zero at padding."""
        mean = self._mean([cast(Scores, member).log_likelihood(batch) for member in self._asked])
        return mean.masked_fill(batch.values == PAD, 0.0)

    def begin(self, conditions: Tensor) -> tuple[Any, ...]:
        return tuple(cast(Streams, member).begin(conditions) for member in self._asked)

    def advance(self, state: tuple[Any, ...], tokens: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        steps = [cast(Streams, member).advance(each, tokens) for member, each in zip(self._asked, state, strict=True)]
        return self._mean([log for log, _ in steps]), tuple(new for _, new in steps)


@torch.no_grad()
def symbol_scores(model: Scores, corpus: Corpus, size: int) -> NDArray[np.float64]:
    """Log-likelihood of every symbol of `corpus`, one after the other: float64 (symbol,), nats."""
    parts = [(model.log_likelihood(batch), batch.values) for batch in corpus.batches(size)]
    return np.concatenate([found[values != PAD].double().cpu().numpy() for found, values in parts])


def learn_weights(scores: NDArray[np.float64], rounds: int, tolerance: float) -> NDArray[np.float64]:
    """Weights (member,) with the highest likelihood, from log-likelihoods (member, symbol)."""
    likelihood = np.exp(scores - scores.max(axis=0))
    weights = np.full(len(scores), 1 / len(scores))
    for _ in range(rounds):
        share = weights[:, None] * likelihood
        new = (share / share.sum(axis=0)).mean(axis=1)
        change, weights = np.abs(new - weights).max(), new
        if change < tolerance:
            break
    return weights


def fit(
    members: Mapping[str, object],
    train: Corpus,
    validation: Corpus,
    shape: Shape,
    settings: Settings,
    seed: int,
    progress: Callable[..., None],
) -> Average:
    """Learn the weights on `validation`; `train` is not looked at, since the members know it by heart."""
    kept = np.random.default_rng(seed).permutation(len(validation))[: settings.most_items]
    held = validation.take(np.sort(kept))
    scores = []
    for step, member in enumerate(members.values(), start=1):
        scores.append(symbol_scores(cast(Scores, member), held, settings.batch_size))
        progress(step, len(members))
    weights = learn_weights(np.stack(scores), settings.rounds, settings.tolerance)
    weights = np.where(weights < min(settings.least, weights.max()), 0.0, weights)
    return build(members, dict(zip(members, weights.tolist(), strict=True)), settings)


def build(members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> Average:
    """From weights that are known; equal ones give the plain average."""
    return Average(members, weights, settings)
