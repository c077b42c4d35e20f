"""Bits that a model needs for a byte of the test items: -log2 p of every symbol, END included, over the number of bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from aigc_models.capabilities import Scores
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._bootstrap import ROUNDS, compared, resamples
from aigc_models.modalities.text import END, PAD

MODALITIES = PRIMARY = frozenset({"text"})
MICRO_BATCH = 64  # items scored at a time


def applies(evidence: Evidence) -> bool:
    return bool(scorers(evidence))


def scorers(evidence: Evidence) -> dict[str, Scores]:
    """The candidates that have a likelihood."""
    return {name: model for name, model in evidence.models.items() if isinstance(model, Scores)}


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every model that scores, with differences to the others; a ratio of sums, so that long items count more."""
    models, bits = scorers(evidence), {}
    for step, (name, model) in enumerate(models.items(), start=1):
        bits[name] = item_bits(model, evidence.test)
        evidence.progress(step, len(models))
    length = np.count_nonzero(np.asarray(evidence.test.values) < END, axis=1).astype(np.float64)
    chosen = resamples(len(length), ROUNDS, evidence.seed)
    total = length[chosen].sum(axis=1)
    values = {name: float(each.sum() / length.sum()) for name, each in bits.items()}
    return compared(values, {name: each[chosen].sum(axis=1) / total for name, each in bits.items()}, "bits per byte", "lower")


def item_bits(model: Scores, corpus: Corpus) -> NDArray[np.float64]:
    """Bits of each item: float64 (item,)."""
    bits = np.zeros(len(corpus))
    with torch.no_grad():
        for index in by_length(corpus):
            log_likelihood = model.log_likelihood(corpus.batch(index))
            bits[index] = -log_likelihood.double().sum(dim=1).cpu().numpy() / math.log(2)
    return bits


def by_length(corpus: Corpus) -> Iterator[NDArray[np.int64]]:
    """Micro-batches of items of about the same length, as indices."""
    order = np.argsort(np.count_nonzero(np.asarray(corpus.values) != PAD, axis=1), kind="stable")
    for start in range(0, len(order), MICRO_BATCH):
        yield order[start : start + MICRO_BATCH]
