"""Whole items read by whatever `Streams`, a stretch at a time, so that a book takes no more memory than a page.

What a model says of a symbol follows from all symbols of the item before it (as far as the model looks back), whether an
item is scored, continued or drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from aigc_models.capabilities import Streams
from aigc_models.corpus import Batch, Corpus
from aigc_models.language.decoding import rows
from aigc_models.sequences import PAD, Sequences

STRETCH = 512  # symbols of an item that are read at a time
AT_ONCE = 16_384  # symbols of all items together
ITEMS, SYMBOLS = 64, 1 << 18  # of a batch of items of about the same length, at most

Symbols = Int[Tensor, "item time"]


class Read(NamedTuple):
    """What models say of a stretch of some items."""

    items: Int[Tensor, " part"]  # which of the batch
    first: int  # place of the first symbol
    symbols: Int[Tensor, "part stretch"]  # PAD behind an item
    said: dict[str, Float[Tensor, "part stretch symbol"]]  # by the model's name, log-probabilities of what stands there


def shifted(values: Symbols, end: int) -> Symbols:
    """What is fed to predict `values`: END, then each symbol but the last."""
    return torch.cat([torch.full_like(values[:, :1], end), values[:, :-1]], dim=1)


def side_by_side(corpus: Corpus) -> Iterator[NDArray[np.int64]]:
    """The items in batches of about the same length, as indices: a book is not padded to by lines."""
    assert isinstance(corpus.values, Sequences)
    order = np.argsort(corpus.values.lengths, kind="stable")
    start = 0
    while start < len(order):
        lengths = corpus.values.lengths[order[start : start + ITEMS]]
        size = max(1, int(np.count_nonzero(lengths * np.arange(1, len(lengths) + 1) <= SYMBOLS)))
        yield order[start : start + size]
        start += size


def of_like_length(values: Symbols, size: int = 32) -> Iterator[tuple[Int[Tensor, " part"], Int[Tensor, "part longest"]]]:
    """The items in groups of about the same length: their index, and their values cut to the longest."""
    length = (values != PAD).sum(dim=1)
    for index in length.argsort(stable=True).split(size):
        yield index, values[index, : max(1, int(length[index].max()))]


def read(models: Mapping[str, Streams], batch: Batch) -> Iterator[Read]:
    """All of the batch, items of like length side by side, each stretch by all models."""
    for index, values in of_like_length(batch.values, AT_ONCE // STRETCH):
        inputs = shifted(values, next(iter(models.values())).vocabulary.end)
        states: dict[str, Any] = {name: model.begin(batch.conditions[index]) for name, model in models.items()}
        for first in range(0, values.shape[1], STRETCH):
            there = (values[:, first] != PAD).nonzero()[:, 0]  # the others have ended
            if len(there) < len(index):
                index, values, inputs = index[there], values[there], inputs[there]
                states = {name: rows(state, there) for name, state in states.items()}
            stretch, said = slice(first, first + STRETCH), {}
            for name, model in models.items():
                said[name], states[name] = model.extend(states[name], inputs[:, stretch])
            yield Read(index, first, values[:, stretch], said)


def of_symbols(log_probabilities: Tensor, values: Tensor) -> Tensor:
    """Those of the symbols `values` (item, time) alone; zero at padding."""
    gathered = log_probabilities.gather(-1, values.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return gathered.masked_fill(values == PAD, 0.0)


def log_likelihood(model: Streams, batch: Batch) -> Float[Tensor, "item time"]:
    """Nats, zero at padding."""
    result = torch.zeros(batch.values.shape, device=batch.values.device)
    for part in read({"": model}, batch):
        result[part.items, part.first : part.first + part.symbols.shape[1]] = of_symbols(part.said[""], part.symbols)
    return result
