"""How much a text repeats itself: the share of its runs of four words that it has said before, beside that of real items.

`seq-rep-4` of Welleck et al. 2019, "Neural text generation with unlikelihood training", section 6: one less the different
runs over all runs of an item, then the mean over items. An item of fewer than four words repeats nothing. In scripts
without spaces, such as Chinese, a character is a word.
"""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import find
from aigc_models.metrics._shares import shares
from aigc_models.metrics._text_distance import texts

MODALITIES = frozenset({"text"})
WORDS = 4  # of a run


def applies(evidence: Evidence) -> bool:
    return bool(evidence.samples) and len(evidence.test) > 0


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate's samples, and for the test items under the name `real`, at equal numbers; less is better."""
    words = find("aigc_models.modalities", evidence.shape.modality).words
    corpora = {name: texts(corpus, evidence.shape) for name, corpus in {**evidence.samples, "real": evidence.test}.items()}
    fewest = min(map(len, corpora.values()))
    figures = {name: np.array([repeated(words(text)) for text in each[:fewest]]) for name, each in corpora.items()}
    return shares(figures, "lower", "share of runs of words")


def repeated(words: list[str]) -> float:
    """Share of the runs of `WORDS` words that stand earlier in the same text.

    >>> repeated("a b c d a b c d".split()), repeated("a b c".split())
    (0.2, 0.0)
    """
    runs = [tuple(words[at : at + WORDS]) for at in range(len(words) - WORDS + 1)]
    return round(1 - len(set(runs)) / len(runs), 12) if runs else 0.0
