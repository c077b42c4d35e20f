"""Average of the members' probabilities, symbol by symbol, with weights that depend on how sure each member is.

A member's confidence is the probability of its likeliest symbol. The confidences are cut into intervals, and each
combination of intervals (a bucket) has weights of its own, as in the interpolation of Jelinek and Mercer 1980.
All weights maximise the likelihood of the validation split by expectation maximisation; it is concave in
them, so there is one best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional as F

from aigc_models.capabilities import Shape, Streams
from aigc_models.corpus import Corpus
from aigc_models.ensembles._combined import LANES, Combined
from aigc_models.language import reading
from aigc_models.language.vocabulary import symbolic
from aigc_models.sequences import PAD
from aigc_models.training.devices import place_of

MODALITIES = symbolic()
BUCKETS = 512  # at most
RUNS = 20  # of symbols, in turn in the one and the other part of the validation split

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Gate(BaseModel):
    """Which weights hold where; of the members with a weight above zero, in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    edges: tuple[tuple[float, ...], ...] = Field(description="of each member: borders between intervals of confidence, nats")
    weights: tuple[tuple[float, ...], ...] = Field(description="of each bucket: the members' weights")


class Settings(BaseModel):
    """How the weights are learned, and what was learned beside one number a member."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rounds: int = Field(100, ge=1, description="rounds of expectation maximisation at most")
    tolerance: float = Field(1e-6, gt=0, description="largest change of a weight at which it stops")
    least: float = Field(0.005, ge=0, lt=1, description="a smaller weight becomes 0, and its member is not asked any more")
    intervals: int = Field(6, ge=1, description="intervals of a member's confidence, fewer for many members")
    prior: float = Field(2.0, gt=0, description="symbols that each bucket is given beforehand, with the overall weights")
    batch_size: int = Field(64, ge=1, description="not looked at: items of like length are scored together")
    most_items: int = Field(4096, ge=1, description="validation items that the weights are learned on, at most")
    gate: Gate | None = Field(None, description="learned: the weights of each bucket; none: one weight a member")


class Average(Combined):
    """`members` by name, and `weights` (means over all buckets) that sum to 1. Scores and streams like a member."""

    def __init__(self, members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> None:
        super().__init__(members, weights)
        self.settings = settings
        positive = tuple(weight for weight in self.weights.values() if weight > 0)
        gate = settings.gate or Gate(edges=((),) * len(positive), weights=(positive,))
        self._edges = [torch.tensor(edges, dtype=torch.float32) for edges in gate.edges]
        self._log_weights = torch.tensor(gate.weights, dtype=torch.float64).log().float()

    def together(self, parts: Sequence[Tensor]) -> Tensor:
        """Log of the weighted mean of the members' log-probabilities float (..., symbol).

        Rows begin at multiples of `LANES`: what is left over at an end is rounded another way, and must not depend on where an
        item stands in its batch.
        """
        symbols = parts[0].shape[-1]
        parts = [F.pad(part, (0, -symbols % LANES), value=-torch.inf) for part in parts]
        buckets = bucket([part.amax(-1) for part in parts], [edges.to(parts[0].device) for edges in self._edges])
        weights = self._log_weights.to(parts[0].device)[buckets]
        mean = parts[0] + weights[..., :1]
        for index, part in enumerate(parts[1:], start=1):
            mean = torch.logaddexp(mean, part + weights[..., index : index + 1])
        return mean[..., :symbols]


def bucket(confidences: Sequence[Tensor], edges: Sequence[Tensor]) -> Tensor:
    """The number of the bucket, int64, from each member's confidence (log-probability of its likeliest symbol)."""
    index = torch.zeros_like(confidences[0], dtype=torch.int64)
    for confidence, borders in zip(confidences, edges, strict=True):
        index = index * (len(borders) + 1) + torch.bucketize(confidence.contiguous(), borders)
    return index


class Scored(NamedTuple):
    """What a member says of a corpus, in nats."""

    likelihood: Floats  # (symbol,): log-probability of what stands there
    confidence: Floats  # (symbol,): of the likeliest


@torch.no_grad()
def score(model: Streams, corpus: Corpus) -> Scored:
    """Every symbol of `corpus`, in an order that is the same for all models."""
    likelihood, confidence = list[Tensor](), list[Tensor]()
    for index in reading.side_by_side(corpus):
        for part in reading.read({"": model}, corpus.batch(index).to(place_of(model))):
            there = part.symbols != PAD
            likelihood.append(reading.of_symbols(part.said[""], part.symbols)[there])
            confidence.append(part.said[""].amax(-1)[there])
    return Scored(*(torch.cat(said).cpu().double().numpy() for said in (likelihood, confidence)))


def learn_weights(scores: Floats, rounds: int, tolerance: float) -> Floats:
    """Weights (member,) with the highest likelihood, from log-likelihoods (member, symbol)."""
    one, equal = np.zeros(scores.shape[1], dtype=np.int64), np.full((1, len(scores)), 1 / len(scores))
    return learn_buckets(scores, one, equal, 0.0, rounds, tolerance)[0]


def learn_buckets(scores: Floats, index: Ints, start: Floats, prior: float, rounds: int, tolerance: float) -> Floats:
    """Weights (bucket, member), from log-likelihoods (member, symbol) and each symbol's bucket.

    `start` (bucket, member) is what it begins with, and what `prior` symbols more would speak for.
    """
    likelihood, weights = np.exp(scores - scores.max(axis=0)), start
    for _ in range(rounds):
        share = weights[index].T * likelihood
        share /= share.sum(axis=0)
        new = np.stack([np.bincount(index, each, len(start)) for each in share], axis=1) + prior * start
        new /= np.maximum(new.sum(axis=1, keepdims=True), 1e-300)
        change, weights = np.abs(new - weights).max(), new
        if change < tolerance:
            break
    return weights


def figure(scores: Floats, weights: Floats) -> float:
    """Log-likelihood of the average in nats a symbol; `weights` (symbol, member) or (1, member)."""
    top = scores.max(axis=0)
    return float(np.mean(np.log((weights.T * np.exp(scores - top)).sum(axis=0)) + top))


def learn(scores: Floats, confidences: Floats, settings: Settings) -> tuple[Floats, Gate | None]:
    """The mean weights (member,) and the gate, from what was `Scored`, each (member, symbol).

    There is no gate where buckets learned on one part of the validation split do not help on the other.
    """
    weights = learn_weights(scores, settings.rounds, settings.tolerance)
    intervals = min(settings.intervals, int(BUCKETS ** (1 / len(scores)) + 1e-9))
    edges = [np.unique(np.quantile(each, np.arange(1, intervals) / intervals)).astype(np.float32) for each in confidences]
    tensors = [torch.from_numpy(each.astype(np.float32)) for each in confidences]
    index = bucket(tensors, [torch.from_numpy(each) for each in edges]).numpy()
    start = np.tile(weights, (math.prod(len(each) + 1 for each in edges), 1))

    def learned(chosen: NDArray[np.bool_]) -> Floats:
        rounds = (settings.rounds, settings.tolerance)
        return learn_buckets(scores[:, chosen], index[chosen], start, settings.prior, *rounds)

    part = np.arange(len(index)) * RUNS // len(index) % 2
    tried = [figure(scores[:, part == one], learned(part != one)[index[part == one]]) for one in (0, 1)]
    plain = [figure(scores[:, part == one], weights[None]) for one in (0, 1)]
    if len(start) == 1 or sum(tried) <= sum(plain):
        return weights, None
    table = learned(np.ones(len(index), dtype=bool))
    gate = Gate(edges=tuple(tuple(each.tolist()) for each in edges), weights=tuple(tuple(row) for row in table.tolist()))
    return table[index].mean(axis=0), gate


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
    held = validation.sample(settings.most_items, seed)
    scored = []
    for step, member in enumerate(members.values(), start=1):
        scored.append(score(cast(Streams, member), held))
        progress(step, len(members))
    scores, confidences = (np.stack(part) for part in zip(*scored, strict=True))
    weights, gate = learn(scores, confidences, settings)
    asked = weights >= min(settings.least, weights.max())
    if not asked.all():
        rest, gate = learn(scores[asked], confidences[asked], settings)
        weights = np.zeros(len(weights))
        weights[asked] = rest
    return build(members, dict(zip(members, weights.tolist(), strict=True)), settings.model_copy(update={"gate": gate}))


def build(members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> Average:
    """From given weights; equal ones give the plain average."""
    return Average(members, weights, settings)
