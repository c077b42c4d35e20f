"""Share of generated texts that are far stranger than real test items are, to a byte model of the train split.

For a challenger beside the champion. A likelihood hardly sees it when a part of a model's training was noise: a model that
writes noise one time in three gives real text log2(1.5) bits an item less, five thousandths of a bit per byte of 118.
What it writes shows it. The judge is an n-gram model of its own, of the items that are known to be sound where the
evidence holds these alone. Far is three times as far above the median of the test items as 95 % of them lie: weak models'
mistakes are within that, noise is beyond.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aigc_models.capabilities import Scores
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement
from aigc_models.families import ngram
from aigc_models.metrics._likelihood import item_bits
from aigc_models.metrics._shares import shares
from aigc_models.sequences import Sequences

MODALITIES = frozenset({"text"})
USUAL, FAR = 0.95, 3.0


def applies(evidence: Evidence) -> bool:
    return "champion" in evidence.samples


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate's samples, paired by the test item whose condition they were made with."""
    judge = ngram.build(ngram.SIZES["debug"], evidence.shape)
    judge.fit(evidence.train, evidence.validation, evidence.progress)
    median, usual = np.quantile(strangeness(judge, evidence.test), [0.5, USUAL])
    limit = median + FAR * (usual - median)
    strange = {name: (strangeness(judge, corpus) > limit).astype(float) for name, corpus in evidence.samples.items()}
    return shares(strange, "lower", "share of texts")


def strangeness(judge: Scores, corpus: Corpus) -> NDArray[np.float64]:
    """Bits per symbol of each item, its END counted: float64 (item,)."""
    assert isinstance(corpus.values, Sequences)
    return item_bits(judge, corpus) / corpus.values.lengths
