"""Histories as questions: what came before, and which item comes next.

A corpus holds histories that are closed by an END; a question has none, and `PAD` behind what came before.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor

from aigc_models.corpus import Batch, Corpus
from aigc_models.sequences import PAD, Sequences

Ints = NDArray[np.int64]
UNKNOWN = 0  # the symbol of an item that the vocabulary lacks: it is never recommended, and says nothing of what follows
OFTEN = 0.01  # share of events that were in their history before, from which on a data set is said to repeat items


def asked(batch: Batch) -> tuple[Batch, Tensor]:
    """What came before the last item of each history, and that item, int64 (item,); `PAD` where there is none."""
    values = batch.values
    last = (values != PAD).sum(1, keepdim=True) - 2  # behind it stands the END
    target = values.gather(1, last.clamp(min=0))[:, 0].masked_fill(last[:, 0] < 0, PAD)
    before = torch.arange(values.shape[1], device=values.device) < last
    longest = max([1, *last[:, 0].tolist()])
    return Batch(values.masked_fill(~before, PAD)[:, :longest], batch.conditions), target


def questions(corpus: Corpus, most: int | None = None) -> tuple[Batch, Tensor]:
    """The same of a corpus, of `most` of its histories at most; those whose last item is unknown are left out."""
    chosen = corpus if most is None else corpus.sample(most, 0)
    batch, target = asked(chosen.batch(np.arange(len(chosen))))
    there = target > UNKNOWN
    return Batch(batch.values[there], batch.conditions[there]), target[there]


def events(values: Sequences) -> Sequences:
    """Histories without their ENDs."""
    inner = np.ones(len(values.symbols), dtype=bool)
    inner[values.starts[1:] - 1] = False
    return Sequences(np.asarray(values.symbols, dtype=np.int64)[inner], values.starts - np.arange(len(values) + 1))


def repeats(values: Sequences) -> bool:
    """Whether items come again in their history, as songs do and rated films do not."""
    plain = events(values)
    owner = np.repeat(np.arange(len(plain)), plain.lengths)[plain.symbols > UNKNOWN]
    pairs = np.stack([owner, plain.symbols[plain.symbols > UNKNOWN]])
    return bool(pairs.shape[1]) and 1 - np.unique(pairs, axis=1).shape[1] / pairs.shape[1] >= OFTEN


def seen(batch: Batch, symbols: int) -> Tensor:
    """Which items each history holds, bool (item, symbol)."""
    table = torch.zeros(len(batch), symbols + 1, dtype=torch.bool, device=batch.values.device)
    there = torch.where(batch.values == PAD, symbols, batch.values)
    return table.scatter_(1, there, torch.ones_like(there, dtype=torch.bool))[:, :symbols]


def closed(log_probabilities: Tensor, batch: Batch, target: Tensor) -> Float[Tensor, "item symbol"]:
    """Log-probabilities among the items that a history lacks: what it holds, and the unknown item, has none left.

    A target that the history holds keeps its own, so that a repeat has a likelihood.
    """
    hidden = seen(batch, log_probabilities.shape[1])
    hidden[:, UNKNOWN] = True
    hidden.scatter_(1, target[:, None], torch.zeros_like(hidden[:, :1]))
    return log_probabilities.masked_fill(hidden, -torch.inf).log_softmax(1)


def nats(log_probabilities: Tensor, batch: Batch, target: Tensor) -> float:
    """Mean of -log p of the targets among the items that each history lacks."""
    said = closed(log_probabilities, batch, target).gather(1, target[:, None])
    return -float(said.double().mean())


def recent(values: Ints, symbols: int, decay: float, most: int) -> sparse.csr_matrix:
    """Float32 (item, symbol): `decay` ** age of the last `most` items of each of `values` (item, time), the last of age 0.

    What lies beyond `symbols` says nothing, but makes those before it older.
    """
    age = (values != PAD).sum(1, keepdims=True) - 1 - np.arange(values.shape[1])
    row, time = np.nonzero((age >= 0) & (age < most) & (values > UNKNOWN) & (values < symbols))
    weight = np.float32(decay) ** age[row, time].astype(np.float32)
    return sparse.csr_matrix((weight, (row, values[row, time])), shape=(len(values), symbols))


def pairs(values: Sequences, distance: int) -> tuple[Ints, Ints, Ints]:
    """Places (pair,) of events of one history that stand `distance` apart, the earlier first, and whose they are."""
    owner = np.repeat(np.arange(len(values)), values.lengths)
    first = np.flatnonzero(owner[:-distance] == owner[distance:]) if distance < len(owner) else np.zeros(0, dtype=np.int64)
    return first, first + distance, owner[first]
