"""How many bits candidates need for each test item, all of them asked about the same stretch at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol, cast, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aigc_models.capabilities import Scores, Streams
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement, original
from aigc_models.find import find
from aigc_models.language import reading
from aigc_models.metrics._bootstrap import ROUNDS, compared, resamples
from aigc_models.training.devices import place_of

Bits = NDArray[np.float64]


@runtime_checkable
class Averages(Protocol):
    """An ensemble whose log-probabilities are a function of its members'."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The members that it needs."""

    def combined(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Its log-probabilities (item, time, symbol) from theirs."""


def scorers(evidence: Evidence) -> dict[str, Scores]:
    """The candidates that have a likelihood."""
    return {name: model for name, model in evidence.models.items() if isinstance(model, Scores)}


def per_unit(evidence: Evidence, unit: str) -> dict[str, Measurement]:
    """Bits for each of what the modality counts (`amounts`: bytes, events), END included; `unit` is how that is called.

    For every model that scores, with differences to the others; a ratio of sums, so that long items count more.
    """
    bits = bits_of_all(scorers(evidence), evidence)
    modality = find("aigc_models.modalities", evidence.shape.modality)
    amounts: Bits = modality.amounts(evidence.test.values, evidence.shape.format)
    chosen = resamples(len(amounts), ROUNDS, evidence.seed)
    total = amounts[chosen].sum(axis=1)
    values = {name: float(each.sum() / amounts.sum()) for name, each in bits.items()}
    return compared(values, {name: each[chosen].sum(axis=1) / total for name, each in bits.items()}, unit, "lower")


def bits_of_all(models: Mapping[str, Scores], evidence: Evidence) -> dict[str, Bits]:
    """Bits of each test item by candidate, float64 (item,); what is one and the same model is asked once.

    Where a candidate averages others, their probabilities serve for its own, since asking them takes all the time.
    """
    origins = {name: original(name, models, evidence.combined) for name in models}
    means = {name: m for name in set(origins.values()) & evidence.combined if isinstance(m := models[name], Averages)}
    means = {name: mean for name, mean in means.items() if all(isinstance(models.get(part), Streams) for part in mean.asked)}
    shared = {origins[part] for mean in means.values() for part in mean.asked}
    bits = {name: np.zeros(len(evidence.test)) for name in dict.fromkeys(origins.values())}
    alone = [name for name in bits if name not in shared and name not in means]
    with torch.no_grad():
        for done, index in enumerate(reading.side_by_side(evidence.test)):
            evidence.progress(done * reading.ITEMS, len(evidence.test))
            batch = evidence.test.batch(index)
            for name in alone:
                bits[name][index] = in_bits(models[name].log_likelihood(batch.to(place_of(models[name]))))
            together = batch.to(place_of(*(models[name] for name in shared)))
            for part in reading.read({name: cast(Streams, models[name]) for name in shared}, together) if shared else ():
                said = {member: part.said[origins[member]] for mean in means.values() for member in mean.asked}
                each = {name: part.said[name] for name in shared} | {n: mean.combined(said) for n, mean in means.items()}
                for name, log_probabilities in each.items():
                    bits[name][index[part.items.cpu().numpy()]] += in_bits(reading.of_symbols(log_probabilities, part.symbols))
    return {name: bits[origin] for name, origin in origins.items()}


def item_bits(model: Scores, corpus: Corpus) -> Bits:
    """Bits of each item: float64 (item,)."""
    bits = np.zeros(len(corpus))
    with torch.no_grad():
        for index in reading.side_by_side(corpus):
            bits[index] = in_bits(model.log_likelihood(corpus.batch(index).to(place_of(model))))
    return bits


def in_bits(log_likelihood: Tensor) -> Bits:
    """Of each item, float64 (item,), from nats (item, time)."""
    return np.asarray(-log_likelihood.cpu().double().sum(dim=1).numpy() / math.log(2))
