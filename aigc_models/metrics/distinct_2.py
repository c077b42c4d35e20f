"""Share of distinct pairs of neighbouring words in what was generated (Li et al. 2016, section 5), beside that of real items.

The share falls as the text grows, so that all are cut to the same number of pairs; who writes none has a share of 0 and
cuts nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import find

MODALITIES = frozenset({"text"})
Pair = tuple[str, str]


def applies(evidence: Evidence) -> bool:
    return bool(evidence.samples)


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate's samples, and for the test items under the name `real`."""
    corpora = {**evidence.samples, "real": evidence.test}
    modality, format = find("aigc_models.modalities", evidence.shape.modality), evidence.shape.format
    pairs = {n: [word_pairs(text) for text in modality.decode(corpus.values, format)] for n, corpus in corpora.items()}
    most = min(filter(None, (sum(map(len, items)) for items in pairs.values())), default=0)
    return {name: distinct(first_pairs(items, most)) for name, items in pairs.items()}


def word_pairs(text: str) -> list[Pair]:
    """Neighbouring words, split at white space."""
    return list(pairwise(text.lower().split()))


def first_pairs(items: Sequence[list[Pair]], most: int) -> list[list[Pair]]:
    """Items from the first on, the last one cut, until there are `most` pairs."""
    kept: list[list[Pair]] = []
    for item in items:
        if most <= 0:
            break
        kept.append(item[:most])
        most -= len(kept[-1])
    return kept


def distinct(items: Sequence[list[Pair]]) -> Measurement:
    """The share, with a jackknife interval over items (a bootstrap would add repeats of its own)."""
    counts = Counter(pair for item in items for pair in item)
    total = sum(counts.values())
    share = len(counts) / max(total, 1)
    without = [_without(item, counts, total) for item in items]
    error = float(np.sqrt(max(len(items) - 1, 0) * np.var(without))) if items else 0.0
    low, high = max(0.0, share - 1.96 * error), min(1.0, share + 1.96 * error)
    return Measurement(value=share, low=low, high=high, unit="share of word pairs", better="higher")


def _without(item: list[Pair], counts: Counter[Pair], total: int) -> float:
    """The share with one item left out."""
    gone = sum(counts[pair] == times for pair, times in Counter(item).items())
    return (len(counts) - gone) / max(total - len(item), 1)
