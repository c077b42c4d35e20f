"""Self-BLEU of what was generated (Zhu et al. 2018, "Texygen"), beside that of real items: high where samples are alike.

Each sample is held against all the others: BLEU-4 (Papineni et al. 2002) in words, with the smoothing for runs that never
match that sacrebleu calls `exp` (Lin and Och 2004); then the mean. It rises with the number of references, so that all
candidates have equally many, at most `MOST`. A text without a word is left out.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import find
from aigc_models.metrics._bootstrap import Edges, measurements
from aigc_models.metrics._text_distance import texts

MODALITIES = frozenset({"text"})
ORDERS = (1, 2, 3, 4)  # words of a run
MOST = 128  # items
GROUPS = 10  # that are left out in turn
Grams = Counter[tuple[str, ...]]
Most = dict[tuple[str, ...], tuple[int, int, int]]  # see `_two_most`


def applies(evidence: Evidence) -> bool:
    return bool(evidence.samples) and len(evidence.test) > 1


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate's samples, and for the test items under the name `real`; the interval is a jackknife over groups."""
    words = find("aigc_models.modalities", evidence.shape.modality).words
    corpora = {**evidence.samples, "real": evidence.test}
    items = {name: [words(text.lower()) for text in texts(corpus, evidence.shape)] for name, corpus in corpora.items()}
    fewest = min(MOST, *map(len, items.values()))
    draws = {name: jackknifed(each[:fewest]) for name, each in items.items()}

    def edges(name: str, other: str | None) -> Edges:
        each = draws[name] if other is None else draws[name] - draws[other]
        half = 1.96 * math.sqrt((len(each) - 2) * float(np.var(each[1:])))
        return float(each[0]) - half, float(each[0]) + half

    return measurements({name: float(each[0]) for name, each in draws.items()}, edges, "BLEU, 0 to 1", "lower", (0.0, 1.0))


def jackknifed(items: Sequence[list[str]]) -> np.ndarray:
    """Float64 (1 + GROUPS,): self-BLEU of all items, then without each of the groups of every tenth item."""
    return np.array(
        [self_bleu(items), *(self_bleu([i for at, i in enumerate(items) if at % GROUPS != g]) for g in range(GROUPS))]
    )


def self_bleu(items: Sequence[list[str]]) -> float:
    """The mean over items of BLEU against all others; 0 where fewer than two have words."""
    spoken = [item for item in items if item]
    if len(spoken) < 2:
        return 0.0
    grams = [[Counter(zip(*(item[at:] for at in range(order)), strict=False)) for item in spoken] for order in ORDERS]
    most = [_two_most(each) for each in grams]
    sizes = np.sort([len(item) for item in spoken])
    scores = [_bleu([each[at] for each in grams], most, at, sizes) for at in range(len(spoken))]
    return float(np.mean(scores))


def _two_most(items: Sequence[Grams]) -> Most:
    """Of each run: how often the item has it that has it most, which item that is, and how often the next one."""
    most: Most = defaultdict(lambda: (0, -1, 0))
    for at, item in enumerate(items):
        for gram, count in item.items():
            first, owner, second = most[gram]
            most[gram] = (count, at, first) if count > first else (first, owner, max(second, count))
    return most


def _bleu(
    grams: Sequence[Grams], most: Sequence[dict[tuple[str, ...], tuple[int, int, int]]], at: int, sizes: np.ndarray
) -> float:
    """Of item `at` against all others; orders longer than it are left out, as sacrebleu's effective order does."""
    logs, unmatched = list[float](), 0
    for grams_here, others in zip(grams, most, strict=True):
        if not (total := grams_here.total()):
            continue
        matched = 0
        for gram, count in grams_here.items():
            first, owner, second = others[gram]
            matched += min(count, second if owner == at else first)
        if not matched:
            unmatched += 1
        logs.append(math.log(matched / total if matched else 1 / (2**unmatched * total)))
        if grams_here is grams[0] and not matched:
            return 0.0
    size = grams[0].total()
    lengths = np.delete(sizes, int(np.searchsorted(sizes, size)))  # those of the others
    nearest = int(lengths[np.argmin(np.abs(lengths - size))])
    return min(1.0, math.exp(1 - nearest / size)) * math.exp(float(np.mean(logs)))
