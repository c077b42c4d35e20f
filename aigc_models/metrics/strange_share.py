"""Share of generated texts that are stranger than 95 % of real test items are, to a byte model of the train split.

For a challenger beside the champion. A likelihood hardly sees it when a part of a model's training was noise: a model that
writes noise one time in three gives real text log2(1.5) bits an item less, five thousandths of a bit per byte of 118.
What it writes shows it. The judge is an n-gram model of its own, of the items that are known to be sound where the
evidence holds these alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aigc_models.capabilities import Scores
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement
from aigc_models.families import ngram
from aigc_models.metrics._bootstrap import averages
from aigc_models.metrics.bits_per_byte import item_bits
from aigc_models.modalities.text import END

MODALITIES = frozenset({"text"})
USUAL = 0.95  # of the test items


def applies(evidence: Evidence) -> bool:
    return "champion" in evidence.samples


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate's samples, paired by the test item whose condition they were made with."""
    judge = ngram.build(ngram.SIZES["debug"], evidence.shape)
    judge.fit(evidence.train, evidence.validation, evidence.progress)
    limit = float(np.quantile(strangeness(judge, evidence.test), USUAL))
    strange = {name: (strangeness(judge, corpus) > limit).astype(float) for name, corpus in evidence.samples.items()}
    return averages(strange, "share of texts", "lower", evidence.seed)


def strangeness(judge: Scores, corpus: Corpus) -> NDArray[np.float64]:
    """Bits per symbol of each item, its END counted: float64 (item,)."""
    return item_bits(judge, corpus) / (np.count_nonzero(np.asarray(corpus.values) < END, axis=1) + 1)
