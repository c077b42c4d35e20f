"""Accuracy on real test items of classifiers trained on generated items alone (Ravuri and Vinyals 2019), averaged.

Each learns from another draw of the candidate's pool, and nothing else of it is random (`_pupil.py`): what another pool
would change shows between them, and is in the interval beside what other test items would.
"""

from __future__ import annotations

import numpy as np

from aigc_models.canvas import painted
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._judge import SEED, can_classify, judge, labelled
from aigc_models.metrics._pupil import answers, described
from aigc_models.metrics._shares import shares

MODALITIES = painted()
DRAWS = 12  # of a pool


def applies(evidence: Evidence) -> bool:
    return can_classify(evidence) and len(labelled(evidence.test, len(evidence.shape.labels))) > 0


def correct(evidence: Evidence, corpus: Corpus) -> np.ndarray:
    """Whether classifiers trained on `corpus` are right, float (draw, item), for each labelled test item."""
    labels, bank = len(evidence.shape.labels), judge(evidence).bank
    test, lesson = labelled(evidence.test, labels), labelled(corpus, labels)
    learnt, asked = (described(bank, part, evidence.shape) for part in (lesson, test))
    answered = answers(learnt, np.asarray(lesson.conditions), asked, DRAWS, SEED)
    return np.asarray(answered == test.conditions, dtype=np.float64)


def measure(evidence: Evidence) -> dict[str, Measurement]:
    jury = judge(evidence)
    return shares(jury.for_each(lambda name: correct(evidence, jury.pool(name))), "higher")
