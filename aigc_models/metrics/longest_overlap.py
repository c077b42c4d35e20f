"""The longest run of characters that a generated text shares with a training text, beside that of real held-out items.

By a suffix array (Manber and Myers 1993) of both: the figure is the run that one sample in twenty exceeds, since a median
hides a fifth of copies. Runs within an item alone count, none reaches from one training text into the next. Items count with
their first 2,000 characters, as everywhere that texts are compared, and the training texts with their first `MOST`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import find
from aigc_models.metrics._bootstrap import POSITIVE, ROUNDS, compared, resamples
from aigc_models.metrics._text_distance import texts

MODALITIES = frozenset({"text"})
MOST = 2_000_000  # characters of training text: some 600 MB of memory and six seconds
QUANTILE = 0.95


def applies(evidence: Evidence) -> bool:
    return bool(evidence.samples) and len(evidence.test) > 0 and len(evidence.train) > 0


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate's samples, and for the test items under the name `real`, at equal numbers; in characters."""
    modality = find("aigc_models.modalities", evidence.shape.modality)
    corpora = {**evidence.samples, "real": evidence.test}
    items = {name: texts(corpus, evidence.shape) for name, corpus in corpora.items()}
    fewest = min(map(len, items.values()))
    listed = [text for each in items.values() for text in each[:fewest]]
    lengths = longest(modality.decode(evidence.train.values, evidence.shape.format), listed).reshape(len(items), fewest)
    rows = resamples(fewest, ROUNDS, evidence.seed)
    values = {name: float(np.quantile(each, QUANTILE)) for name, each in zip(items, lengths, strict=True)}
    draws = {name: np.quantile(each[rows], QUANTILE, axis=1) for name, each in zip(items, lengths, strict=True)}
    return compared(values, draws, "characters", "lower", fewest - 1, POSITIVE)


class Suffixes(NamedTuple):
    """`order` int (place,): the suffixes in alphabetical order; `ranks[level]` int32 (place,): equal where the 2**level
    characters from there on are."""

    order: np.ndarray
    ranks: list[np.ndarray]


def suffixes(codes: np.ndarray, longest: int) -> Suffixes:
    """Of codes int64 (place,), told apart by their first `longest` characters at least, by doubling."""
    ranks, size = [_ranked(codes)], 1
    while size < longest and int(ranks[-1].max()) + 1 < len(codes):  # or all differ already
        following = np.zeros(len(codes), dtype=np.int64)
        following[:-size] = ranks[-1][size:]
        following[:-size] += 1
        ranks.append(_ranked(ranks[-1].astype(np.int64) * (len(codes) + 1) + following))
        size *= 2
    return Suffixes(np.argsort(ranks[-1], kind="stable"), ranks)


def _ranked(values: np.ndarray) -> np.ndarray:
    """Int32 (place,): the rank of each among the different values."""
    return np.unique(values, return_inverse=True)[1].astype(np.int32)


def longest(training: Sequence[str], samples: Sequence[str]) -> np.ndarray:
    """Int64 (sample,): the longest run of each sample that some training text holds."""
    reference, asked = _codes(training, 0)[:MOST], _codes(samples, 1)
    codes = np.concatenate([reference, [0], asked])
    table = suffixes(codes, max([1, *map(len, samples)]))
    first = len(reference) + 1  # place of the first sample
    of_training = table.order < first
    places = np.flatnonzero(~of_training)
    at = np.where(of_training, np.arange(len(codes)), -1)
    before = np.maximum.accumulate(at)
    after = np.minimum.accumulate(np.where(of_training, np.arange(len(codes)), len(codes))[::-1])[::-1]
    runs = np.zeros(len(codes), dtype=np.int64)
    for near in (before[places], after[places]):  # of all training suffixes the neighbours in the order share most
        there = (near >= 0) & (near < len(codes))
        sampled = table.order[places[there]]
        runs[sampled] = np.maximum(runs[sampled], shared(table, sampled, table.order[near[there]]))
    sizes = np.array([len(sample) + 1 for sample in samples], dtype=np.int64)
    return np.asarray(np.maximum.reduceat(runs[first:], np.cumsum(sizes) - sizes))


def shared(table: Suffixes, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Int64 (pair,): how many characters the suffixes at places `one` and `other` (pair,) have in common at their beginning."""
    length = np.zeros(len(one), dtype=np.int64)
    for level in range(len(table.ranks) - 1, -1, -1):
        ranks, size = table.ranks[level], len(table.ranks[level])
        first, second = np.minimum(one + length, size - 1), np.minimum(other + length, size - 1)
        alike = (ranks[first] == ranks[second]) & (np.maximum(one, other) + length < size)
        length += np.where(alike, 1 << level, 0)
    return length


def _codes(texts: Sequence[str], end: int) -> np.ndarray:
    """Int64 (place,): the characters of all texts, each followed by `end`, which no character is (they begin at 2)."""
    joined = np.frombuffer("\0".join([*texts, ""]).encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64) + 2
    ends = np.cumsum([len(text) + 1 for text in texts], dtype=np.int64) - 1
    joined[ends] = end
    return joined
