"""Bits that a model needs for a byte of the test items: -log2 p of every symbol, END included, over the number of bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Protocol, cast, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aigc_models.capabilities import Predicts, Scores
from aigc_models.corpus import Corpus
from aigc_models.ensembles.average import of_symbols
from aigc_models.evidence import Evidence, Measurement, original
from aigc_models.metrics._bootstrap import ROUNDS, compared, resamples
from aigc_models.modalities.text import END, PAD

MODALITIES = PRIMARY = frozenset({"text"})
MICRO_BATCH = 64  # items scored at a time


@runtime_checkable
class Averages(Protocol):
    """An ensemble whose log-probabilities are a function of its members'."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The members that it needs."""

    def combined(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Its log-probabilities (item, time, symbol) from theirs."""


def applies(evidence: Evidence) -> bool:
    return bool(scorers(evidence))


def scorers(evidence: Evidence) -> dict[str, Scores]:
    """The candidates that have a likelihood."""
    return {name: model for name, model in evidence.models.items() if isinstance(model, Scores)}


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every model that scores, with differences to the others; a ratio of sums, so that long items count more."""
    bits = bits_of_all(scorers(evidence), evidence)
    length = np.count_nonzero(np.asarray(evidence.test.values) < END, axis=1).astype(np.float64)
    chosen = resamples(len(length), ROUNDS, evidence.seed)
    total = length[chosen].sum(axis=1)
    values = {name: float(each.sum() / length.sum()) for name, each in bits.items()}
    return compared(values, {name: each[chosen].sum(axis=1) / total for name, each in bits.items()}, "bits per byte", "lower")


def bits_of_all(models: Mapping[str, Scores], evidence: Evidence) -> dict[str, NDArray[np.float64]]:
    """Bits of each test item by candidate, float64 (item,); what is one and the same model is asked once.

    Where a candidate averages others, their probabilities serve for its own, since asking them takes all the time.
    """
    origins = {name: original(name, models, evidence.combined) for name in models}
    means = {name: m for name in set(origins.values()) & evidence.combined if isinstance(m := models[name], Averages)}
    means = {name: mean for name, mean in means.items() if all(isinstance(models.get(part), Predicts) for part in mean.asked)}
    shared = {part for mean in means.values() for part in mean.asked}
    bits = {name: np.zeros(len(evidence.test)) for name in dict.fromkeys(origins.values())}
    with torch.no_grad():
        for done, index in enumerate(by_length(evidence.test)):
            evidence.progress(done * MICRO_BATCH, len(evidence.test))
            batch = evidence.test.batch(index)
            parts = {origin: cast(Predicts, models[origin]).log_probabilities(batch) for origin in {origins[p] for p in shared}}
            parts |= {part: parts[origins[part]] for part in shared}
            parts |= {name: mean.combined(parts) for name, mean in means.items()}
            for name, each in bits.items():
                likelihood = of_symbols(parts[name], batch.values) if name in parts else models[name].log_likelihood(batch)
                each[index] = in_bits(likelihood)
    return {name: bits[origin] for name, origin in origins.items()}


def item_bits(model: Scores, corpus: Corpus) -> NDArray[np.float64]:
    """Bits of each item: float64 (item,)."""
    bits = np.zeros(len(corpus))
    with torch.no_grad():
        for index in by_length(corpus):
            bits[index] = in_bits(model.log_likelihood(corpus.batch(index)))
    return bits


def in_bits(log_likelihood: Tensor) -> NDArray[np.float64]:
    """Of each item, float64 (item,), from nats (item, time)."""
    return np.asarray(-log_likelihood.double().sum(dim=1).cpu().numpy() / math.log(2))


def by_length(corpus: Corpus) -> Iterator[NDArray[np.int64]]:
    """Micro-batches of items of about the same length, as indices."""
    order = np.argsort(np.count_nonzero(np.asarray(corpus.values) != PAD, axis=1), kind="stable")
    for start in range(0, len(order), MICRO_BATCH):
        yield order[start : start + MICRO_BATCH]
